"""Folders of two machines: the longest that fits wins, both ways, and they can be guessed."""

from __future__ import annotations

import itertools

import pytest

from remora_client._source._linemap import nearest_like, same_line
from remora_client._source._pathmap import PathMap, guess

PAIRS = [("/app", "/home/ada/shop"), ("/app/vendor", "/opt/vendor"), (r"C:\srv", "/mnt/srv"), ("/", "/root")]


@pytest.mark.parametrize("order", list(itertools.permutations(PAIRS[:3])))
def test_the_order_does_not_matter(order: tuple[tuple[str, str], ...]) -> None:
    maps = PathMap()
    for theirs, ours in order:
        maps.add(theirs, ours)
    for path, wanted in (
        ("/app/a.py", "/home/ada/shop/a.py"),
        ("/app/vendor/b.py", "/opt/vendor/b.py"),
        (r"c:\SRV\pkg\c.py", "/mnt/srv/pkg/c.py"),
        ("/apple/a.py", None),
        ("relative.py", None),
    ):
        assert maps.ours(path) == wanted
    assert maps.theirs("/opt/vendor/b.py") == "/app/vendor/b.py"
    assert maps.theirs("/mnt/srv/pkg/c.py") == r"C:\srv\pkg\c.py"
    assert maps.theirs("/elsewhere/x.py") is None


def test_the_root_and_removal() -> None:
    maps = PathMap()
    maps.add("/", "/srv/root/")
    assert maps.ours("/x/y.py") == "/srv/root/x/y.py"
    assert maps.remove("/")
    assert not maps.remove("/")
    assert maps.rows == []


def test_a_guess_from_files_on_both_sides() -> None:
    same = [(f"/app/pkg/{name}.py", f"/home/ada/shop/pkg/{name}.py") for name in "abc"]
    same += [("/app/pkg/a.py", "/tmp/copy/pkg/a.py"), ("/usr/x.py", "/usr/x.py")]
    assert guess(same) == [("/app", "/home/ada/shop", 3)]


def test_lines_of_two_versions() -> None:
    ours = "a\nb\nnew\nc\nd\n"
    theirs = "a\nb\nc\nd changed\n"
    assert [same_line(ours, theirs, line) for line in (1, 2, 4, 5)] == [1, 2, 3, 4]
    assert same_line(ours, theirs, 3) in (2, 3)
    assert same_line(ours, theirs, 99) == 99


def test_files_of_one_name_only_are_no_versions_of_each_other() -> None:
    ours = "import os\n\n\ndef work():\n    return os.getpid()\n"
    theirs = "# another one\nfrom app import run\n\n\nrun()\nprint('done')\n"
    assert [same_line(ours, theirs, line) for line in range(1, 6)] == [1, 2, 3, 4, 5]
    assert nearest_like("x\ny\nx\n  x  \n", "x", 4) == 4
    assert nearest_like("x\ny\n", "z", 1) is None
