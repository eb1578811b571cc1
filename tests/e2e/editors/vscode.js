// Drives VS Code's workbench, as code-server serves it, in a browser without a window.
const puppeteer = require("puppeteer-core");

const { BROWSER: executablePath, PAGE: url, LINE: line, PICTURE: picture } = process.env;
const say = (label, value) => console.log(`${label} ${value}`);
const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));
const patience = 40000;

async function main() {
  const browser = await puppeteer.launch({ executablePath, headless: true, args: ["--no-sandbox", "--disable-gpu"] });
  const page = await browser.newPage();
  await page.setViewport({ width: 1400, height: 900 });
  const press = async (keys) => {
    const all = keys.split("+");
    for (const key of all.slice(0, -1)) await page.keyboard.down(key);
    await page.keyboard.press(all.at(-1));
    for (const key of all.slice(0, -1)) await page.keyboard.up(key);
  };
  const text = () => page.evaluate(() => document.body.innerText);
  // Does something, again if need be (what comes too early is lost), until the window says what it should.
  const until = async (pattern, act = () => {}, again = 10000) => {
    const end = Date.now() + patience;
    while (Date.now() < end) {
      await act();
      const next = Math.min(end, Date.now() + again);
      while (Date.now() < next) {
        const found = pattern.exec(await text());
        if (found) return found;
        await pause(100);
      }
    }
    await page.screenshot({ path: picture });
    throw new Error(`waited for ${pattern}, and saw:\n${await text()}`);
  };

  await page.goto(url);
  await page.waitForSelector(".view-lines .view-line", { timeout: patience });
  await page.click(".view-lines");
  await press("Control+g");
  await page.waitForSelector(".quick-input-widget input", { visible: true });
  await page.keyboard.type(line);
  await press("Enter");
  await until(new RegExp(`Ln ${line},`));
  const marked = async () => (await page.$$(".codicon-debug-breakpoint")).length > 0;
  for (const end = Date.now() + patience; !(await marked()) && Date.now() < end; await pause(2000)) await press("F9");
  const top = /step\s+function_loop\.py\s+(\d+)/;
  await until(/Paused on breakpoint/i, () => press("F5"), 20000);
  say("stopped", (await until(top))[1]);
  const unfold = async () => {
    const locals = await page.$('.monaco-list-row[aria-expanded="false"][aria-label*="Locals"] .monaco-tl-twistie');
    if (locals) await locals.click();
  };
  say("local", (await until(/Locals\s+(value)\s*=\s*\d+/, unfold, 5000))[1]);
  await press("Control+Shift+y");
  const console_ = ".repl-input-wrapper .view-lines";
  await page.waitForSelector(console_, { visible: true });
  await page.click(console_);
  await page.keyboard.type("6 * 7");
  await press("Enter");
  say("evaluated", (await until(/^\s*(42)\s*$/m))[1]);
  await press("F10");
  await until(/Paused on step/i);
  say("stepped", (await until(new RegExp(`step\\s+function_loop\\.py\\s+(${Number(line) + 1})`)))[1]);
  await press("F5");
  await until(/Paused on breakpoint/i);
  say("continued", "");
  await press("Shift+F5");
  await until(/^(?![\s\S]*Paused on)/i);
  say("disconnected", "");
  await browser.close();
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
