from __future__ import annotations

import pickle
from typing import Any

import pytest

from remora_protocol import ERROR_IDS, LocalProtocolError, ProtocolError, RemoteProtocolError, RequestFailed

DESIGNED = (
    *("auth-required", "auth-failed", "auth-throttled", "tls-required", "not-tls", "version-mismatch"),
    *("already-attached", "no-such-process", "not-stopped", "bad-request", "unknown-command", "too-large"),
    *("internal-error", "evaluation-failed", "not-supported", "cancelled", "not-found"),
)


def test_every_code_has_its_own_small_number() -> None:
    assert [ERROR_IDS[code] for code in DESIGNED] == list(range(1, len(DESIGNED) + 1))
    assert len(set(ERROR_IDS.values())) == len(ERROR_IDS)


def test_fault_is_told_by_the_class() -> None:
    assert issubclass(LocalProtocolError, ProtocolError)
    error = RemoteProtocolError("too-large", "Too much.")
    assert isinstance(error, ProtocolError)
    assert (error.code, str(error)) == ("too-large", "Too much.")


@pytest.mark.parametrize("code", ERROR_IDS)
@pytest.mark.parametrize("text", ["{x} is not {y}", "auth-failed: no", "", "a: b", "{", "}{"])
@pytest.mark.parametrize("show_user", [True, False])
def test_a_refusal_survives_the_wire(code: str, text: str, show_user: bool) -> None:
    sent = RequestFailed(code, text, show_user)
    read = RequestFailed.from_body(sent.code, sent.to_body())
    assert (read.code, read.text, read.show_user) == (code, text, show_user)


def test_a_refusal_says_what_other_dap_clients_show() -> None:
    body = RequestFailed("not-stopped", "Pause it first.").to_body()
    assert body == {"error": {"id": 9, "format": "not-stopped: Pause it first.", "showUser": True}}


@pytest.mark.parametrize(
    ("message", "body", "code", "text"),
    [
        ("cancelled", None, "cancelled", "cancelled"),
        ("notStopped", {}, "not-stopped", "notStopped"),
        ("No thread 7", None, "failed", "No thread 7"),
        (
            "x",
            {"error": {"id": 3, "format": "No {a} {b}", "variables": {"a": "frame"}}},
            "failed",
            "No frame {b}",
        ),
        ("x", {"error": {"format": "failed: no frame"}}, "failed", "failed: no frame"),
        (None, {"error": {"format": 3}}, "failed", "The other side refused the request and did not say why."),
        (None, {"error": []}, "failed", "The other side refused the request and did not say why."),
        ("", [1], "failed", "The other side refused the request and did not say why."),
        ("bad-request", {"error": {"format": "Other words."}}, "bad-request", "Other words."),
    ],
)
def test_other_adapters_errors_are_read_too(message: str | None, body: Any, code: str, text: str) -> None:
    error = RequestFailed.from_body(message, body)
    assert (error.code, str(error), error.show_user) == (code, text, True)


def test_errors_can_cross_a_process_pool() -> None:
    for error in (RequestFailed("not-found", "No.", False), RemoteProtocolError("bad-request", "No.")):
        copy = pickle.loads(pickle.dumps(error))
        assert (type(copy), str(copy), copy.code) == (type(error), "No.", error.code)
