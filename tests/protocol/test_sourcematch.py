from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from remora_protocol import match_by_name, near_matches, sha256_text, split_source

LOADED = [
    "/srv/app/guess.py",
    "/srv/app/a/models.py",
    "/srv/app/b/models.py",
    "/srv/app/a/__init__.py",
    "/srv/app/b/__init__.py",
    "/srv/lib.zip/pkg/zipped.py",
    "<frozen importlib._bootstrap>",
    "relative.py",
]


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ("guess.py", ["/srv/app/guess.py"]),
        ("/home/ada/project/guess.py", ["/srv/app/guess.py"]),
        ("./guess.py", ["/srv/app/guess.py"]),
        ("../x/../guess.py", ["/srv/app/guess.py"]),
        ("C:\\work\\guess.py", ["/srv/app/guess.py"]),
        ("C:\\WORK\\GUESS.PY", ["/srv/app/guess.py"]),
        ("app\\GUESS.py", ["/srv/app/guess.py"]),
        ("c:/games/guess.py", ["/srv/app/guess.py"]),
        ("/home/ada/GUESS.py", []),
        ("/home/ada/a/models.py", ["/srv/app/a/models.py"]),
        ("/home/ada/app/b/models.py", ["/srv/app/b/models.py"]),
        ("C:\\x\\App\\B\\Models.py", ["/srv/app/b/models.py"]),
        ("models.py", ["/srv/app/a/models.py", "/srv/app/b/models.py"]),
        ("/home/ada/c/models.py", ["/srv/app/a/models.py", "/srv/app/b/models.py"]),
        ("/home/ada/a/__init__.py", ["/srv/app/a/__init__.py"]),
        ("/home/ada/c/__init__.py", []),
        ("__init__.py", ["/srv/app/a/__init__.py", "/srv/app/b/__init__.py"]),
        ("pkg/zipped.py", ["/srv/lib.zip/pkg/zipped.py"]),
        ("<frozen importlib._bootstrap>", ["<frozen importlib._bootstrap>"]),
        ("/anywhere/relative.py", ["relative.py"]),
        ("uess.py", []),
        ("guess.pyc", []),
        ("guess.py/x", []),
        ("", []),
        ("/", []),
        (".", []),
    ],
)
def test_paths_are_matched_by_name(wanted: str, found: list[str]) -> None:
    assert match_by_name(wanted, LOADED) == found


def test_a_whole_path_is_better_than_the_end_of_one() -> None:
    loaded = ["/backup/srv/app/guess.py", "/srv/app/guess.py"]
    assert match_by_name("/srv/app/guess.py", loaded) == ["/srv/app/guess.py"]
    assert match_by_name("srv/app/guess.py", loaded) == loaded


@pytest.mark.parametrize(
    ("loaded", "found"),
    [
        (["C:\\App\\Guess.py"], ["C:\\App\\Guess.py"]),
        (["\\\\host\\share\\guess.py"], ["\\\\host\\share\\guess.py"]),
        (["/app/Guess.py"], []),
        (["/odd\\guess.py"], []),
        (["/odd/guess.py\\"], []),
    ],
)
def test_case_and_backslashes_count_where_they_do(loaded: list[str], found: list[str]) -> None:
    assert match_by_name("/home/ada/guess.py", loaded) == found


def test_the_text_tells_equals_apart() -> None:
    texts = {"/srv/app/a/models.py": "1", "/srv/app/b/models.py": "2"}
    assert match_by_name("models.py", LOADED, wanted_sha256="2", sha256_of=texts.get) == [
        "/srv/app/b/models.py"
    ]
    assert len(match_by_name("models.py", LOADED, wanted_sha256="3", sha256_of=texts.get)) == 2
    assert len(match_by_name("models.py", LOADED, wanted_sha256=None, sha256_of=texts.get)) == 2


def test_the_text_is_asked_for_only_then() -> None:
    def never(path: str) -> str:
        raise AssertionError(path)

    assert match_by_name("guess.py", LOADED, wanted_sha256="1", sha256_of=never)
    assert match_by_name("a/models.py", LOADED, wanted_sha256="1", sha256_of=never) == [
        "/srv/app/a/models.py"
    ]


@pytest.mark.parametrize(
    ("wanted", "near"),
    [
        ("/x/gues.py", ["/srv/app/guess.py"]),
        ("/x/GUESS.py", ["/srv/app/guess.py"]),
        ("guess.py", []),
        ("model.py", ["/srv/app/a/models.py", "/srv/app/b/models.py"]),
        ("unheard-of.py", []),
        ("", []),
    ],
)
def test_near_misses_are_suggested(wanted: str, near: list[str]) -> None:
    assert near_matches(wanted, LOADED) == near


def test_few_near_misses_are_suggested() -> None:
    assert len(near_matches("models1.py", [f"/{n}/models.py" for n in range(100)])) == 3


def test_line_ends_and_marks_are_no_difference() -> None:
    plain = b"a = 1\nb = 2\n"
    assert sha256_text(plain) == hashlib.sha256(plain).hexdigest()
    for same in (b"a = 1\r\nb = 2\r\n", b"\xef\xbb\xbf" + plain, b"a = 1\rb = 2\n"):
        assert sha256_text(same) == sha256_text(plain)
    assert sha256_text(b"a = 1\n\nb = 2\n") != sha256_text(plain)


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("", []),
        ("a", ["a"]),
        ("a\n\nb\n", ["a", "", "b"]),
        ("a\r\nb\rc", ["a", "b", "c"]),
        ("a\n\x0c\nb\x0bc\x1cd\x85e\u2028f\n", ["a", "\x0c", "b\x0bc\x1cd\x85e\u2028f"]),
    ],
)
def test_lines_end_where_python_ends_them(text: str, lines: list[str]) -> None:
    assert split_source(text) == lines


paths = st.text("ab/\\.:C_<>é", max_size=12)


@given(paths, st.lists(paths, max_size=6))
def test_any_texts_give_some_of_the_candidates(wanted: str, candidates: list[str]) -> None:
    assert set(match_by_name(wanted, candidates)) <= set(candidates)
    assert set(near_matches(wanted, candidates)) <= set(candidates)


@given(paths, st.lists(paths, max_size=6))
def test_the_rule_is_the_same_on_both_sides(wanted: str, candidates: list[str]) -> None:
    for candidate in candidates:
        assert bool(match_by_name(wanted, [candidate])) == bool(match_by_name(candidate, [wanted]))
