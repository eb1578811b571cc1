"""Hooks come into all living and all new code, and out again. Run as `python reach_checks.py NAME`."""

import asyncio
import builtins
import functools
import gc
import importlib
import importlib._bootstrap_external
import itertools
import marshal
import os
import py_compile
import subprocess
import sys
import tempfile
import threading
import time
import traceback
import types
import zipfile

from remora._engine._bytecode import insertion_of, nested
from remora._engine._reach import Swapper
from remora._interpreter import _native

FILENAME = "/somewhere/program.py"


def until(condition, seconds=20):
    """Wait for what another thread does; the deadline is for broken code only."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "did not happen"
        time.sleep(0.001)


class Program:
    """Source text, run; its lines are named by comments."""

    def __init__(self, source, filename=FILENAME):
        self.lines = {
            line.rpartition("# ")[2]: number
            for number, line in enumerate(source.splitlines(), 1)
            if "# " in line
        }
        self.filename = filename
        self.hits = []
        self.hooks = {name: functools.partial(self.hits.append, name) for name in self.lines}
        self.failures = []
        self.swapper = Swapper(on_failure=self.failures.append)
        self.code = compile(source, filename, "exec", dont_inherit=True)
        self.names = {"__name__": "program"}

    def run(self):
        exec(self.code, self.names)
        return self

    def __getattr__(self, name):
        return self.names[name]

    def hook(self, *names):
        hooks = {self.lines[name]: self.hooks[name] for name in names}
        self.stale = self.swapper.apply({self.filename: hooks})
        assert not self.failures
        return self

    def took(self):
        """The hits since this was asked last."""
        hits, self.hits[:] = self.hits[:], []
        return hits

    def clear(self):
        self.swapper.clear()
        assert_clean()


def assert_clean():
    """Nothing of ours is left in any function, nor in the import system."""
    for one in gc.get_objects():
        if type(one) is types.FunctionType:
            assert insertion_of(one.__code__) is None, one
            assert all(insertion_of(child) is None for _, child in nested(one.__code__)), one
    assert type(builtins.exec) is types.BuiltinFunctionType
    assert "exec" not in vars(importlib._bootstrap_external)
    for loader in (
        importlib._bootstrap_external.SourceLoader,
        importlib._bootstrap_external.SourcelessFileLoader,
    ):
        assert loader.get_code.__code__.co_name == "get_code"
        assert not hasattr(loader.get_code, "__wrapped__")


KINDS = """
import functools, contextlib

def plain():
    return 1  # plain

def decorate(function):
    @functools.wraps(function)
    def wrapper(*arguments):
        return function(*arguments)  # wrapper
    return wrapper

@decorate
def decorated():
    return 2  # decorated

@functools.lru_cache(maxsize=0)
def cached():
    return 2  # cached

class Class:
    def __init__(self):
        self.n = 1  # init

    def method(self):
        return self.n  # method

    @property
    def prop(self):
        return 3  # prop

    @prop.setter
    def prop(self, value):
        self.n = value  # setter

    @staticmethod
    def static():
        return 4  # static

    @classmethod
    def klass(cls):
        return 5  # klass

    class Inner:
        def method(self):
            return 6  # inner method

    def __getattr__(self, name):
        return name  # getattr

class Child(Class):
    def method(self):
        return super().method() + 1  # super

def outer(n):
    def closure():
        def deepest():
            return n  # deepest
        return deepest()  # closure
    return closure

made = outer(7)
keyword = functools.partial(plain)
bound = Class().method
anonymous = lambda: 8  # lambda

def generator():
    yield 9  # generator

async def coroutine():
    return 10  # coroutine

async def agenerator():
    yield 11  # agenerator

@contextlib.contextmanager
def manager():
    yield 12  # manager

def expression():
    return list(n for n in (1,)  # expression
                )

table = {"f": [lambda: 13]}  # in table
"""


def use_everything(program):
    async def all_of(it):
        return [n async for n in it]

    instance, child = program.Class(), program.Child()
    instance.prop = 2
    with program.manager():
        pass
    return [
        program.plain(), program.decorated(), program.cached(), instance.method(), instance.prop,
        child.method(), program.Class.static(), program.Class.klass(), program.Class.Inner().method(),
        instance.something, program.made(), program.outer(8)(), program.keyword(), program.bound(),
        program.anonymous(), list(program.generator()), asyncio.run(program.coroutine()),
        asyncio.run(all_of(program.agenerator())), program.expression(), program.table["f"][0](),
    ]  # fmt: skip


def check_every_kind_of_function():
    program = Program(KINDS).run()
    before = use_everything(program)
    assert program.hook(*program.lines).stale == []
    assert use_everything(program) == before
    assert set(program.took()) == set(program.lines)
    program.clear()
    assert use_everything(program) == before
    assert program.took() == []


def check_hooks_change():
    program = Program(KINDS).run()
    program.hook("plain", "deepest")
    program.plain()
    made = program.outer(1)
    program.hook("method", "deepest")
    assert program.plain() == 1
    assert made() == 1
    program.bound()
    assert program.took() == ["plain", "deepest", "method"]
    kept = program.made.__code__
    program.hook("method", "deepest")
    assert program.made.__code__ is kept
    program.clear()


def check_only_named_file_is_changed():
    program = Program(KINDS).run()
    other = Program(KINDS, "/elsewhere/program.py").run()
    code = other.plain.__code__
    program.hook(*program.lines)
    assert other.plain.__code__ is code
    program.clear()


def check_code_swapped_by_the_program_stays():
    program = Program(KINDS).run().hook("plain")
    program.plain.__code__ = (lambda: "mine").__code__
    program.clear()
    assert program.plain() == "mine"


def check_code_saved_and_put_back_by_the_program():
    program = Program(KINDS).run().hook("plain")
    saved = program.plain.__code__
    program.clear()
    program.plain.__code__ = saved
    program.plain()
    assert program.took() == ["plain"]
    program.hook("method").clear()
    assert insertion_of(program.plain.__code__) is None


def check_running_parent():
    """Functions that running code makes later have hooks, its own lines have not."""
    program = Program("""
def outer():
    while not stop:
        def inner():
            class Made:
                def method(self): return 1  # method
            return Made().method()  # inner
        turns.append(inner())  # outer
stop, turns = [], []
""").run()
    thread = threading.Thread(daemon=True, target=program.outer)
    thread.start()
    until(lambda: program.turns)
    program.hook("method", "inner", "outer")
    assert "outer" in [frame.f_code.co_name for frame in program.stale]  # and perhaps what it has called
    until(lambda: {"method", "inner"} <= set(program.hits))
    program.clear()
    del program.stale[:]
    count = len(program.turns)
    until(lambda: len(program.turns) > count + 3)
    program.took()
    until(lambda: len(program.turns) > count + 6)
    assert program.took() == []
    program.stop.append(1)
    thread.join()
    assert all(insertion_of(child) is None for _, child in nested(program.outer.__code__))


def check_running_module():
    program = Program("""
import threading
def wait():
    reached.release()
    go_on.acquire()
wait()
def later():
    return 1  # later
class Class:
    def method(self):
        return 2  # method
x = later() + Class().method()  # module
""")
    reached, go_on = threading.Semaphore(0), threading.Semaphore(0)
    program.names.update(reached=reached, go_on=go_on)
    thread = threading.Thread(daemon=True, target=program.run)
    thread.start()
    reached.acquire()
    program.hook("later", "method", "module")
    assert [frame.f_code.co_name for frame in program.stale] == ["<module>"]
    go_on.release()
    thread.join()
    assert program.x == 3
    assert program.took() == ["later", "method"]
    program.clear()


def check_frame_that_already_has_the_hooks_is_not_stale():
    program = Program("""
def run():
    yield 1  # first
    yield 2  # second
    yield 3  # third
""").run()
    program.hook("first", "third")
    running = program.run_it = program.names["run"]()
    next(running)
    hooks = program.swapper._rewriters[FILENAME].hooks
    assert program.swapper.apply({FILENAME: hooks}) == []
    assert program.swapper.apply({FILENAME: {program.lines["third"]: hooks[program.lines["third"]]}}) == []
    stale = program.swapper.apply({FILENAME: {**hooks, program.lines["second"]: print}})
    assert [frame.f_lineno for frame in stale] == [program.lines["first"]]
    del stale
    assert list(running) == [2, 3]
    assert program.took() == ["first", "third"]
    program.clear()


def check_suspended_frames():
    program = Program("""
import types
def generator():
    yield 1
    yield 2  # generator
async def coroutine():
    await pause()
    return 1  # coroutine
async def agenerator():
    yield 1
    yield 2  # agenerator
@types.coroutine
def pause(): yield
""").run()
    generator, coroutine, agenerator = program.generator(), program.coroutine(), program.agenerator()
    first = agenerator.__anext__()
    next(generator)
    coroutine.send(None)
    try:
        first.send(None)
    except StopIteration:
        pass
    program.hook("generator", "coroutine", "agenerator")
    assert sorted(frame.f_code.co_name for frame in program.stale) == ["agenerator", "coroutine", "generator"]
    assert list(generator) == [2]
    coroutine.close()
    program.clear()
    assert program.took() == []


def check_frozen_objects():
    program = Program(KINDS).run()
    gc.freeze()
    program.hook("plain", "deepest", "in table", "super")
    use_everything(program)
    assert set(program.took()) == {"plain", "deepest", "in table", "super"}
    program.clear()
    gc.unfreeze()
    assert_clean()


MODULE = '''
"""A module."""
A = 1  # module
def f():
    return A  # function
class C:
    x = f()  # class
'''


def in_folder(check):
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "latecomer.py")
        with open(path, "w") as file:
            file.write(MODULE)
        sys.path.insert(0, folder)
        check(folder, path)


def check_import_from_source_and_from_pyc():
    sys.dont_write_bytecode = False

    def check(folder, path):
        program = Program(MODULE, path).hook("module", "function", "class")
        for _ in range(2):
            sys.modules.pop("latecomer", None)
            importlib.invalidate_caches()
            import latecomer

            assert latecomer.C.x == 1
            assert program.took() == ["module", "class", "function"]
        assert os.listdir(os.path.join(folder, "__pycache__"))
        importlib.reload(latecomer)
        assert program.took() == ["module", "class", "function"]
        program.clear()
        latecomer.f()
        importlib.reload(latecomer)
        assert program.took() == []
        # What was written while there were hooks is what is written without.
        cached = latecomer.__cached__
        with open(cached, "rb") as file:
            code = marshal.loads(file.read()[16:])
        assert code == compile(MODULE, path, "exec", dont_inherit=True)

    in_folder(check)


def check_import_without_source():
    def check(folder, path):
        py_compile.compile(path, path + "c", dfile=path)
        os.remove(path)
        program = Program(MODULE, path).hook("module", "function", "class")
        import latecomer

        assert program.took() == ["module", "class", "function"]
        assert latecomer.__file__.endswith(".pyc")
        program.clear()

    in_folder(check)


def check_import_from_zip():
    def check(folder, path):
        archive = os.path.join(folder, "a.zip")
        with zipfile.ZipFile(archive, "w") as file:
            file.write(path, "zipped.py")
        program = Program(MODULE, os.path.join(archive, "zipped.py")).hook("module", "function", "class")
        sys.path.insert(0, archive)
        import zipped

        assert zipped.C.x == 1
        assert program.took() == ["module", "class", "function"]
        program.clear()

    in_folder(check)


def check_new_code_is_announced():
    """A breakpoint that waits for its file is set when the file comes."""

    def check(folder, path):
        seen = []
        hits = []

        def on_new_code(code, module):
            seen.append((code.co_filename, module))
            if code.co_filename == path:
                swapper.apply({path: {3: lambda: hits.append(3)}})

        swapper = Swapper(on_new_code)
        swapper.watch_new_code(True)
        import latecomer

        exec("import latecomer")
        exec(compile("pass", "/some/file.py", "exec"))
        assert seen == [(path, "latecomer"), ("<string>", __name__), ("/some/file.py", __name__)], seen
        assert hits == [3]
        assert latecomer.A == 1
        swapper.watch_new_code(False)
        exec("pass")
        assert len(seen) == 3
        swapper.clear()
        assert_clean()

    in_folder(check)


def check_failing_announcement():
    failures = []
    swapper = Swapper(lambda code, module: 1 / 0, failures.append)
    swapper.watch_new_code(True)
    names = {}
    exec("a = 1", names)
    assert names["a"] == 1
    assert [type(error) for error in failures] == [ZeroDivisionError]
    swapper.clear()


def check_tracebacks_of_imports_stay():
    """The frames of the import system are not shown, so ours must not be shown."""

    def check(folder, path):
        texts = []
        for text in ("a = (", "1 / 0", "import nonexistent_module_x"):
            with open(path, "w") as file:
                file.write(text)
            importlib.invalidate_caches()
            for swapper in (None, Swapper()):
                if swapper:
                    swapper.apply({path: {1: lambda: None}})
                try:
                    import latecomer  # noqa: F401
                except BaseException:
                    texts.append(traceback.format_exc())
                if swapper:
                    swapper.clear()
            assert texts[-1] == texts[-2], "\n".join(texts[-2:])

    in_folder(check)


def check_exec():
    program = Program(KINDS)
    program.hook("plain", "lambda")
    names = {}
    exec(program.code, names)
    names["plain"](), names["anonymous"]()
    exec(compile("x = 1\n\n\n\nx = 2", FILENAME, "exec"), names)
    assert program.took() == ["lambda", "plain", "lambda", "plain"]
    program.clear()


EXEC_SEMANTICS = """
from __future__ import annotations
import builtins, sys

def in_function():
    local = 1
    exec("local2 = local + 1; result.append(sorted(locals()))")
    return "local2" in locals()

class InClass:
    exec("attribute = 5")

result = []
result.append(in_function())
exec("module_name = 6")
result.append((module_name, InClass.attribute))

exec("def annotated(x: not_defined_anywhere): pass")
result.append(annotated.__annotations__)

names = {}
exec("x = __builtins__", names)
result.append(names["x"] is vars(builtins))
a, b = {}, {}
exec("x = 1; global y; y = 2", a, b)
result.append((a["y"], b))
exec(b"z = 3", a)
result.append(a["z"])
for arguments in ((1,), ("x", 1), ("x", {}, 1), ("1 +",), ("raise KeyError(1)",)):
    try:
        exec(*arguments)
    except BaseException as error:
        result.append(repr(error))
if sys.version_info >= (3, 11):
    def closure():
        cell = 1
        def f(): return cell
        return f
    exec(closure().__code__, {}, closure=closure().__closure__)
result.append((exec.__name__, exec.__doc__[:20]))
"""


def check_exec_does_what_it_did():
    results = []
    for swapper in (None, Swapper()):
        if swapper:
            swapper.apply({"<string>": {1: lambda: None}})
        names = {"__name__": "semantics"}
        exec(compile(EXEC_SEMANTICS, "semantics.py", "exec", dont_inherit=True), names)
        results.append(names["result"])
        if swapper:
            swapper.clear()
    assert results[0] == results[1], results


def check_others_may_wrap_exec_after_us():
    program = Program(KINDS).hook("plain")
    ours = builtins.exec

    def theirs(*arguments):
        return ours(*arguments)

    builtins.exec = theirs
    program.swapper.clear()
    assert builtins.exec is theirs
    names = {}
    builtins.exec(program.code, names)
    names["plain"]()
    assert program.took() == []


def check_threads_run_while_code_is_swapped():
    program = Program("""
def work(n):
    total = 0  # a
    for k in range(n):
        total += leaf(k)  # b
    return total  # c
def leaf(k): return k + 1  # d
def make(k):
    def inner():
        yield k  # e
        yield from (m for m in range(k))  # f
    return sum(inner())  # g
class Class:
    @property
    def value(self): return make(3)  # h
""").run()
    expected = program.work(50), program.make(4), program.Class().value
    wrong, turns = [], [0] * 4
    ends = time.monotonic() + 2

    def run(number):
        while time.monotonic() < ends:
            got = program.work(50), program.make(4), program.Class().value
            if got != expected:
                wrong.append(got)
            turns[number] += 1

    threads = [threading.Thread(daemon=True, target=run, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    names = list(program.lines)
    for number in itertools.count():
        if time.monotonic() > ends:
            break
        program.hook(*names[: number % len(names) + 1])
        del program.stale
        if number % 3 == 0:
            program.swapper.clear()
    for thread in threads:
        thread.join()
    program.clear()
    assert not wrong
    assert all(turns)
    assert number > 10
    assert set(program.hits) == set(names)


def check_tuples_under_construction():
    """Resizing a tuple that somebody else holds is an error; the walk over all objects must not hold any."""
    ends = time.monotonic() + 2
    errors = []

    def slowly(count):
        for number in range(count):
            if number % 50 == 0:
                time.sleep(0)
            yield number

    def build():
        while time.monotonic() < ends:
            try:
                assert len(tuple(slowly(500))) == 500
            except BaseException as error:
                errors.append(error)
                return

    program = Program(KINDS).run()
    threads = [threading.Thread(daemon=True, target=build) for _ in range(3)]
    for thread in threads:
        thread.start()
    while time.monotonic() < ends:
        program.hook("plain")
        program.hook("lambda")
    for thread in threads:
        thread.join()
    program.clear()
    assert errors == []


def check_user_objects_are_not_asked():
    class Meta(type):
        def __eq__(cls, other):
            raise AssertionError

        def __hash__(cls):
            raise AssertionError

        def __instancecheck__(cls, other):
            raise AssertionError

    class Proxy(metaclass=Meta):
        @property
        def __class__(self):
            raise AssertionError

        def __getattr__(self, name):
            raise AssertionError

    program = Program(KINDS).run()
    proxies = [Proxy() for _ in range(10)]
    program.hook("plain").clear()
    assert len(proxies) == 10


def check_memory_is_given_back():
    program = Program(KINDS).run()
    program.hook(*program.lines).clear()
    gc.collect()
    before = sys.getallocatedblocks()
    for _ in range(20):
        program.hook(*program.lines)
        use_everything(program)
        program.took()
        program.clear()
    gc.collect()
    assert sys.getallocatedblocks() < before + 500


def check_dynamic_code_is_not_kept():
    """A program that makes code of the same file name again and again."""
    program = Program(KINDS).hook("plain")
    for _ in range(50):
        names = {}
        exec(compile(KINDS, FILENAME, "exec"), names)
        names["plain"]()
    del names
    gc.collect()
    assert len(program.swapper._rewriters[FILENAME].changed) < 5
    assert len(program.took()) == 50
    program.clear()


def check_without_ctypes():
    sys.modules["ctypes"] = None
    assert _native.set_constant is None
    program = Program(KINDS).run()
    before = use_everything(program)
    program.hook(*program.lines)
    assert use_everything(program) == before
    assert set(program.took()) == set(program.lines)
    program.clear()


def check_speed_of_the_walk():
    program = Program(KINDS).run()
    objects = [[number] for number in range(300000)]
    times = []
    for names in (["plain"], ["lambda"], ["plain"], ["lambda"]):
        begin = time.perf_counter()
        program.hook(*names)
        times.append(time.perf_counter() - begin)
    assert min(times) < 1, times
    assert len(objects) == 300000
    program.clear()


def check_ctypes_is_not_imported_before_it_is_needed():
    text = "import sys, remora._engine._reach; print('ctypes' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


if __name__ == "__main__":
    globals()[sys.argv[1]]()
