// Drives the bridge's port with the client that VS Code's makers test adapters with.
const { DebugClient } = require("@vscode/debugadapter-testsupport");

const { FILE: file, LINE: line, PORT: port, CONFIGURATION: text } = process.env;
const say = (label, value) => console.log(`${label} ${value}`);

async function main() {
  const client = new DebugClient("unused", "unused", "remora");
  await client.start(Number(port));
  client.defaultTimeout = 30000;
  await client.initializeRequest({
    clientID: "vscode", adapterID: "debugpy", pathFormat: "path", linesStartAt1: true, columnsStartAt1: true,
    supportsVariableType: true, supportsVariablePaging: true, supportsStartDebuggingRequest: true,
  });
  const stopped = client.waitForEvent("stopped");
  const initialized = client.waitForEvent("initialized");
  const attached = client.attachRequest(JSON.parse(text));
  await initialized;
  await client.setBreakpointsRequest({ source: { path: file }, breakpoints: [{ line: Number(line) }] });
  await client.setExceptionBreakpointsRequest({ filters: ["uncaught"] });
  await client.configurationDoneRequest({});
  await attached;
  const threadId = (await stopped).body.threadId;
  const top = async () => (await client.stackTraceRequest({ threadId, levels: 1 })).body.stackFrames[0];
  const frame = await top();
  say("stopped", frame.line);
  say("file", frame.source.path);
  const [scope] = (await client.scopesRequest({ frameId: frame.id })).body.scopes;
  const { variables } = (await client.variablesRequest({ variablesReference: scope.variablesReference })).body;
  say("local", variables[0].name);
  const value = await client.evaluateRequest({ expression: "6 * 7", context: "repl", frameId: frame.id });
  say("evaluated", value.body.result);
  const again = client.waitForEvent("stopped");
  await client.nextRequest({ threadId });
  await again;
  say("stepped", (await top()).line);
  await client.setBreakpointsRequest({ source: { path: file }, breakpoints: [] });
  await client.continueRequest({ threadId });
  say("continued", "");
  await client.disconnectRequest({});
  say("disconnected", "");
  process.exit(0);
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
