"""Breakpoints on lines of which only a part is run by itself, and in very long code: each is reached."""

import os
import sys
import tempfile

from remora._stopping._breakpoints import SourceBreakpoint

FSTRING = '''\
x = 1
y = f"""
{x}
{x +
 1}
"""
'''
DEFAULTS = """\
def f(a=1,
      b=len('x'),
      c=len('y')):
    return a
f()
"""
DECORATORS = """\
def d(f):
    return f
@d
@(lambda f:
  d(f))
def g():
    return 1
g()
@d
class A:
    x = 1
"""
TYPES = """\
def f[T: (
    int,
    str)](x: T) -> T:
    return x
f(1)
type A[T] = list[
    T]
A.__value__
class B[T]:
    y = 1
f.__type_params__[0].__constraints__
"""
ANNOTATIONS = """\
def f(x: len('a'),
      y: len('b') = 1) -> len(
      'c'):
    return x
class A:
    z: len('d')
    w: int = 1
f(1)
v: len('e') = 2
f.__annotations__
A.__annotations__
"""


CHOICES = """\
def choice(a):
    r = (1
         if a
         else 2)
    return r
def item(a):
    return [
        1 if a
        else 2,
        3,
    ]
def nested(a):
    return (a
            if a > 0
            else -a
            if a < -5
            else 0)
for a in (3, -2, -9): choice(a > 0), item(a > 0), nested(a)
"""


def hits(scene, text, *lines):
    """How often a logpoint on each of these lines is reached when the text is run once."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "placed.py")
        with open(path, "w") as file:
            file.write(text)
        code = compile(text, path, "exec")
        scene.call("set_breakpoints", path, [SourceBreakpoint(line, log_message="hit") for line in lines])
        exec(code, {"__name__": "placed"})
    events = [scene.events.get() for _ in range(scene.events.qsize())]
    found = [body["line"] for event, body in events if event == "output"]
    return [found.count(line) for line in lines]


def scenario_parts_of_lines(scene):
    """Those that are come back to, as a `def` with its defaults is, may be hit more often."""
    found = hits(scene, FSTRING, 2, 3, 4, 5)
    assert found[:2] == [1, 1], found
    assert all(hits(scene, DEFAULTS, 1, 2, 3, 4))
    assert all(hits(scene, DECORATORS, 2, 3, 4, 5, 6, 7, 9, 10, 11))
    assert all(hits(scene, ANNOTATIONS, 1, 2, 3, 4, 5, 6, 7, 9))


def scenario_choices_over_lines_count_once(scene):
    """Where the interpreter comes back to the first line of one, and back again to return it."""
    found = hits(scene, CHOICES, 2, 3, 4, 8, 9, 13, 14, 15, 17)
    assert found[:5] == [3, 3, 2, 3, 2], found
    assert found[5:7] == [3, 3], found
    # The test of the inner one is on its own line, or on that of its value as well: 3.9 and PyPy.
    assert found[7] in (1, 2), found
    assert found[8] == 1, found


def scenario_parameters_that_are_types(scene):
    if sys.version_info >= (3, 12):
        assert all(hits(scene, TYPES, 1, 2, 3, 4, 6, 7, 9, 10))


def scenario_jumps_over_thousands_of_lines(scene):
    many = "".join(f"            x{number % 300} = {number} + n\n" for number in range(9000))
    text = f"def f(n):\n    while n:\n        n -= 1\n        if n > 5:\n{many}"
    text += "        else:\n            y = 1\n    return n\nf(7)\n"
    assert hits(scene, text, 3, 5, 4000, 9004, 9006, 9007, 9008) == [7, 1, 1, 1, 6, 1, 1]


def scenario_beyond_65536_lines(scene):
    text = f"x = 0\n{'#' * 9}\n" + "\n" * 70000 + "def f(x):\n    x += 1\n" + "\n" * 70000
    text += "    return x\nx = f(x)\n"
    assert hits(scene, text, 70004, 140005, 140006) == [1, 1, 1]
