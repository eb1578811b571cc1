"""What editors' configurations say."""

from __future__ import annotations

from typing import Any

import pytest

from remora_client._bridge import Wishes
from remora_client._bridge._paths import Mapping
from remora_client._bridge._wishes import as_keys
from remora_client._errors import UsageError
from remora_client._options import ConnectOptions
from remora_protocol import parse_qualifier


def wishes(**arguments: Any) -> Wishes:
    return Wishes(ConnectOptions(), target=parse_qualifier("tcps://given:6000")).with_arguments(arguments)


def test_the_command_lines_qualifier_is_the_default() -> None:
    assert str(wishes().target) == "tcps://given:6000"
    assert str(wishes(qualifier="tcp://other").target) == "tcp://other:5678"


def test_the_spelling_of_older_debuggers() -> None:
    found = wishes(
        connect={"host": "::1", "port": 7000},
        pathMappings=[{"localRoot": "/l", "remoteRoot": "/r"}],
        processId="12",
        justMyCode=False,
    )
    assert str(found.target) == "tcp://[::1]:7000"
    assert found.mappings == (Mapping("/l", "/r"),)
    assert found.pid == 12
    assert found.forwarded == {"justMyCode": False}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("Say which with --pid PID or --name GLOB.", 'Say which with "processId" or "processName".'),
        ("An observer's goes with --observe.", 'An observer\'s goes with "observe": true.'),
        ("--cert FILE --key FILE", '"cert" "key"'),
        ("Give it with --secret-file, or", 'Give it with "secretFile", or'),
        (
            "python -m remora --wait SCRIPT; --namely; a--pid",
            "python -m remora --wait SCRIPT; --namely; a--pid",
        ),
    ],
)
def test_advice_is_given_in_the_words_of_a_configuration(text: str, told: str) -> None:
    assert as_keys(text) == told


def test_the_secret_goes_no_further() -> None:
    found = wishes(secret="hush", secretFile="f", type="remora", name="x", request="attach", __id="1")
    assert found.target is not None
    assert found.target.secret == "hush"
    assert found.options.secret_file == "f"
    assert found.forwarded == {}
    assert "hush" not in repr(found)


@pytest.mark.parametrize(
    "arguments",
    [
        {"qualifier": 3},
        {"qualifier": "x://hush@h"},
        {"processId": "many"},
        {"pathMappings": [{"localRoot": "/l"}]},
        {"pathMappings": "/l:/r"},
        {"source": 3},
        {"observe": "yes"},
        {"connect": {"port": "hush"}},
    ],
)
def test_what_makes_no_sense_is_said(arguments: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match="attach: ") as caught:
        wishes(**arguments)
    assert "hush" not in str(caught.value)
