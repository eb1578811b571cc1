"""What was printed has a number: `$1`, and `$_` is the last."""

from __future__ import annotations

import pytest

from remora_client.commands import FAILURES, error_text
from tests.client.commands.conftest import Debugging


def test_results_have_numbers(debugging: Debugging) -> None:
    debugging.to("print")
    assert debugging.run("print total")["value"] == "6"
    assert debugging.run("print $1 + 1")["value"] == "7"
    assert debugging.run("$_ * 2")["value"] == "14"
    assert debugging.run("$1, $2, $3")["value"] == "(6, 7, 14)"
    assert debugging.run("print 'costs $1' + \"$2\"")["value"] == "'costs $1$2'"
    assert debugging.run("print [each + $1 for each in range(2)]")["value"] == "[6, 7]"
    for line in ("print $99", "$99"):
        with pytest.raises(FAILURES) as caught:
            debugging.run(line)
        assert "no result $99" in error_text(caught.value)
    debugging.run("set numbers on", "print total")
    assert debugging.text.startswith("$7 = 6")
    assert not any(each["name"].startswith("__remora_") for each in debugging.run("globals -v"))
    assert not any(each["name"].startswith("__remora_") for each in debugging.run("locals -v"))


def test_the_last_one_is_an_underscore_where_that_is_no_variable(debugging: Debugging) -> None:
    debugging.to("print")
    with pytest.raises(FAILURES) as caught:
        debugging.run("_")
    assert "NameError: name '_' is not defined" in error_text(caught.value)
    assert debugging.run("print total")["value"] == "6"
    assert debugging.run("_ + 1")["value"] == "7"
    assert debugging.run("print [each + _ for each in range(2)]")["value"] == "[7, 8]"
    assert debugging.run("print f'{_} and _'")["value"] == "'[7, 8] and _'"
    assert debugging.run("(lambda _: _)(1), [_ for _ in 'a']")["value"] == "(1, ['a'])"
    debugging.run("_ = 'mine'")
    assert debugging.run("_")["value"] == "'mine'"
    assert debugging.run("print $_")["value"] == "'mine'"


def test_only_the_latest_are_kept(debugging: Debugging) -> None:
    debugging.to("print")
    for number in range(103):
        debugging.run(f"print {number}")
    assert debugging.run("print $103")["value"] == "102"
    with pytest.raises(FAILURES):
        debugging.run("print $3")
