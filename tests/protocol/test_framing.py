from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from remora_protocol import BEFORE_LOGIN_LIMIT, HEADER_LIMIT, FrameDecoder, RemoteProtocolError, encode_frame


def bodies_of(*pieces: bytes, limit: int = BEFORE_LOGIN_LIMIT) -> list[bytes]:
    decoder = FrameDecoder(limit)
    found = []
    for piece in pieces:
        decoder.receive(piece)
        while (body := decoder.next_body()) is not None:
            found.append(body)
    return found


def refusal_of(data: bytes, limit: int = BEFORE_LOGIN_LIMIT) -> RemoteProtocolError:
    with pytest.raises(RemoteProtocolError) as caught:
        bodies_of(data, limit=limit)
    return caught.value


def cut(data: bytes, places: list[int]) -> list[bytes]:
    edges = [0, *sorted(place % (len(data) + 1) for place in places), len(data)]
    return [data[start:end] for start, end in zip(edges, edges[1:])]


def test_a_frame_is_header_and_body() -> None:
    assert encode_frame(b"{}") == b"Content-Length: 2\r\n\r\n{}"
    assert encode_frame(b"") == b"Content-Length: 0\r\n\r\n"


@given(st.lists(st.binary(max_size=200), max_size=6), st.lists(st.integers(0, 2000), max_size=12))
def test_frames_may_be_cut_anywhere(bodies: list[bytes], places: list[int]) -> None:
    stream = b"".join(map(encode_frame, bodies))
    assert bodies_of(*cut(stream, places)) == bodies
    assert bodies_of(*(bytes([byte]) for byte in stream)) == bodies


@given(st.binary(max_size=300) | st.binary(max_size=60).map(lambda tail: b"Content-Length: " + tail))
def test_whatever_comes_is_refused_or_waits(data: bytes) -> None:
    with contextlib.suppress(RemoteProtocolError):
        bodies_of(data)


@pytest.mark.parametrize(
    "header",
    [
        b"Content-Length: 2",
        b"content-length:2",
        b"CONTENT-LENGTH: \t2 \t",
        b"Content-Type: application/vscode-jsonrpc; charset=utf-8\r\nContent-Length: 2",
        b"Content-Length: 0002",
        b"X-Note:\r\nContent-Length: 2",
    ],
)
def test_headers_that_are_taken(header: bytes) -> None:
    assert bodies_of(header + b"\r\n\r\n{}") == [b"{}"]


@pytest.mark.parametrize(
    "header",
    [
        b"",
        b"Content-Type: text/plain",
        b"Content-Length: ",
        b"Content-Length: -2",
        b"Content-Length: +2",
        b"Content-Length: 2_0",
        b"Content-Length: 0x2",
        b"Content-Length: 2.0",
        b"Content-Length: 2 2",
        b"Content-Length: " + b"9" * 5000,
        "Content-Length: ٢".encode(),
        b"Content-Length: 2\r\nContent-Length: 2",
        b"Content-Length: 2\r\ncontent-length: 3",
        b"Content-Length : 2",
        b" Content-Length: 2",
        b"Content-Length: 2\r\n folded",
        b"Content-Length: 2\nX: y",
        b"Content-Length: 2\r\n\tX",
        b"Content-Length",
        b"GET / HTTP/1.1\r\nHost: here",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc",
        b"Content-Length: 2\x00",
    ],
)
def test_headers_that_are_refused(header: bytes) -> None:
    assert refusal_of(header + b"\r\n\r\n{}").code in ("bad-request", "too-large")


def test_ten_gigabytes_are_refused_by_the_header_alone() -> None:
    decoder = FrameDecoder()
    decoder.receive(b"Content-Length: 10737418240\r\n\r\n")
    with pytest.raises(RemoteProtocolError, match="10737418240") as caught:
        decoder.next_body()
    assert caught.value.code == "too-large"


@pytest.mark.parametrize("limit", [0, 1, 100])
def test_the_limit_is_the_last_size_taken(limit: int) -> None:
    assert bodies_of(encode_frame(b"x" * limit), limit=limit) == [b"x" * limit]
    assert refusal_of(encode_frame(b"x" * (limit + 1)), limit=limit).code == "too-large"


def test_the_limit_can_be_raised_between_frames() -> None:
    decoder = FrameDecoder(limit=2)
    decoder.receive(encode_frame(b"{}") + encode_frame(b"[1,2]"))
    assert decoder.next_body() == b"{}"
    decoder.limit = 5
    assert decoder.next_body() == b"[1,2]"


def test_a_header_without_end_is_refused_once_it_is_too_long() -> None:
    decoder = FrameDecoder()
    decoder.receive(b"X" * (HEADER_LIMIT - 1))
    assert decoder.next_body() is None
    decoder.receive(b"X")
    with pytest.raises(RemoteProtocolError) as caught:
        decoder.next_body()
    assert caught.value.code == "too-large"


def test_a_header_may_be_as_long_as_the_limit_and_no_longer() -> None:
    for excess, taken in ((0, True), (1, False)):
        tail = b"\r\nContent-Length: 2\r\n\r\n"
        header = b"X:" + b" " * (HEADER_LIMIT - len(tail) - 2 + excess) + tail
        if taken:
            assert bodies_of(header + b"{}") == [b"{}"]
        else:
            assert refusal_of(header + b"{}").code == "too-large"


def test_bytes_that_are_no_text_are_refused_at_once() -> None:
    assert refusal_of(b"\x16").code == "bad-request"


def test_after_a_refusal_everything_is_refused() -> None:
    decoder = FrameDecoder()
    decoder.receive(b"nonsense\r\n\r\n")
    for _ in range(2):
        with pytest.raises(RemoteProtocolError, match="Name: value"):
            decoder.next_body()
        decoder.receive(encode_frame(b"{}"))


def test_partial_tells_whether_a_frame_was_begun() -> None:
    decoder = FrameDecoder()
    assert not decoder.partial
    decoder.receive(b"Content-Length: 2\r\n\r\n{")
    assert decoder.next_body() is None
    assert decoder.partial
    decoder.receive(b"}")
    assert decoder.next_body() == b"{}"
    assert not decoder.partial
