"""What each command of the debugger is in Python: the table at the end of docs/api.md is made from it.

A command has expressions of the API that do the same, where `session` is a `Session`, `sessions` a
`Sessions`, `frame` a `Frame` and `value` a `Value`; or, in a `Reason`, why there is nothing to do for it.
"""

from __future__ import annotations


class Reason(str):
    """Why a command has no equivalent."""


_TERMINAL = Reason("it is about what a person sees or types at the prompt")

EQUIVALENTS: dict[str, tuple[str, ...] | Reason] = {
    # running
    "continue": ("session.resume()", "session.go()", "sessions.go()"),
    "next": ("session.step_over()", "session.step_over(times=10)"),
    "step": ("session.step_in()", "session.step_in(into='save')", "session.step_in(everywhere=True)"),
    "return": ("session.step_return()", "session.step_out()", "session.assign('$retval', '42')"),
    "until": ("session.until()",),
    "advance": ("session.advance('app.py:12')",),
    "jump": ("session.goto(12)", "session.goto_lines()"),
    "restartframe": ("session.restart_frame()",),
    "call": ("session.call('save(order)')",),
    "restart": Reason("only `remora demo`, which has started its program, can start it again"),
    "pause": ("session.pause()", "session.pause(thread=2)"),
    "wait": ("session.wait_for_stop()", "sessions.wait_for_stop()"),
    "stepi": ("session.step_instruction(into=True)",),
    "nexti": ("session.step_instruction()",),
    "skip": ("session.skip(files=['generated_*.py'])",),
    "jmc": ("session.skip(just_my_code=False)",),
    # breakpoints
    "break": ("session.break_at('app.py:12')", "sessions.break_at('app.py:12')"),
    "tbreak": ("session.break_at('app.py:12', temporary=True)",),
    "trace": ("session.break_at('app.py:12', log_message='x is {x}')",),
    "watch": Reason("a change of a value cannot stop the program yet, from the prompt neither"),
    "breakpoints": ("session.breakpoints", "session.hits"),
    "clear": ("session.clear()",),
    "enable": ("session.change_breakpoint(1, enabled=True)",),
    "disable": ("session.change_breakpoint(1, enabled=False)",),
    "toggle": ("session.change_breakpoint(1, enabled=False)",),
    "condition": ("session.change_breakpoint(1, condition='x > 3')",),
    "ignore": ("session.change_breakpoint(1, ignore=10)",),
    "commands": ("session.break_at('app.py:12', on_hit=print)",),
    "group": ("session.change_breakpoint(1, name='io')",),
    "catch": ("session.break_on_exceptions(())", "session.exception_modes"),
    "why": ("session.why(1)",),
    "rbreak": ("session.break_at_functions('^handle_')",),
    # stack
    "where": ("session.stack()", "frame.locals()"),
    "up": ("session.select_frame(frame)",),
    "down": ("session.select_frame(frame)",),
    "top": ("session.select_frame(frame)",),
    "bottom": ("session.select_frame(None)",),
    "frame": ("session.select_frame(frame)", "frame.evaluate('x')"),
    # data
    "print": ("session.evaluate('x')", "session.evaluate('x', keep=True)"),
    "pp": ("value.children()",),
    "whatis": ("value.type",),
    "locals": ("session.locals()", "frame.locals()"),
    "args": ("session.arguments()", "frame.arguments()"),
    "globals": ("session.globals()", "frame.globals()"),
    "vars": ("session.scopes()", "session.variables(1)"),
    "retval": ("session.return_value()",),
    "set": ("session.assign('x', '1')", "value.set('1')", "session.execute('x = 1')"),
    "display": Reason("a script asks when it wants to: `evaluate` at each stop"),
    "undisplay": Reason("as display"),
    "src": ("session.source_of('save')",),
    "inspect": ("session.inspect('save')",),
    "completions": ("session.completions('os.pa')",),
    "exceptions": ("session.exception_info()", "session.select_exception(2)"),
    "logs": ("session.logs('info', print)",),
    "clipboard": Reason(
        "the clipboard is the terminal's; `evaluate(…, context='clipboard')` gives all of a value"
    ),
    "dir": ("session.names('order')",),
    "sizeof": ("session.size('order')",),
    "refs": ("session.referrers('order')",),
    # threads
    "tasks": ("session.tasks()",),
    "task": ("session.select_task(session.tasks()[0])",),
    "threads": ("session.threads()", "session.stack(1)"),
    "thread": ("session.select_thread(1)",),
    # processes
    "ps": ("session.process", "len(sessions)"),
    "proc": ("sessions[0]",),
    # sources
    "funcs": ("session.functions('^handle_')",),
    "edit": Reason("it opens a person's editor; `Frame.source_text` says which file here is the same"),
    "disassemble": ("session.disassembly()", "session.code_of('save')"),
    "map": (
        "session.map_folder('/app', '/home/ada/app')",
        "session.guess_folders()",
        "session.where_is('/app/shop.py')",
        "session.mapped_folders",
    ),
    "fetch": ("session.source_text(frame.source)", "session.loaded_sources()"),
    "list": ("frame.source_text()",),
    "longlist": ("frame.source_text()", "session.source_of('save')"),
    "sticky": _TERMINAL,
    "modules": ("session.modules()",),
    "sources": ("session.loaded_sources()",),
    # session
    "config": ("session.set_stop_mode('one')", "session.set_step_mode('one')"),
    "layout": _TERMINAL,
    "sh": Reason("a script has `subprocess`"),
    "py": Reason("a script is Python on this machine"),
    "interact": _TERMINAL,
    "tutorial": _TERMINAL,
    "history": _TERMINAL,
    "record": _TERMINAL,
    "help": Reason("this page"),
    "apropos": Reason("this page"),
    "status": ("session.state", "session.process"),
    "info": Reason("it is another word for commands of this table"),
    "alias": Reason("a script has functions"),
    "unalias": Reason("a script has functions"),
    "source": Reason("a script is one; `remora exec -x` runs files of commands"),
    "transcript": ("session.listen(print, 'output')",),
    "snapshot": ("session.snapshot('crash.remora')",),
    "stdin": ("session.send_input('yes')", "session.unread_input()", "session.take_input()"),
    "detach": ("session.detach()", "session.detach(keep_stopped=True)", "sessions.detach()"),
    "quit": ("session.detach()",),
    "connect": ("attach('host:5679')",),
    "kill": ("session.terminate()", "session.terminate(force=True)"),
    "save": ("session.save_breakpoints('work.remora')", "session.evaluate('page', context='clipboard')"),
    "load": ("session.load_breakpoints('work.remora')",),
}
