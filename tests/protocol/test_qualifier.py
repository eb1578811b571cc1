from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from remora_protocol import DEFAULT_PORT, Qualifier, QualifierError, escape_secret, parse_qualifier

GOOD = [
    ("tcp://host", Qualifier("tcp", "host")),
    ("host", Qualifier("tcp", "host")),
    ("host:9000", Qualifier("tcp", "host", 9000)),
    ("localhost", Qualifier("tcp", "localhost")),
    ("tcps://host", Qualifier("tcps", "host")),
    ("TCPS://Build-7.Example:1", Qualifier("tcps", "build-7.example", 1)),
    ("tcp://my_secret@host", Qualifier("tcp", "host", secret="my_secret")),
    ("my_secret@host:65535", Qualifier("tcp", "host", 65535, "my_secret")),
    ("tcps://my_secret@host:5678#12", Qualifier("tcps", "host", 5678, "my_secret", 12)),
    ("host#4194304", Qualifier("tcp", "host", pid=4194304)),
    ("tcp://host:5678/", Qualifier("tcp", "host")),
    ("tcp://host/#7", Qualifier("tcp", "host", pid=7)),
    ("tcp://@host", Qualifier("tcp", "host", secret="")),
    ("tcp://127.0.0.1:80", Qualifier("tcp", "127.0.0.1", 80)),
    ("tcp://[::1]", Qualifier("tcp", "::1")),
    ("[::1]:80", Qualifier("tcp", "::1", 80)),
    ("tcps://s@[2001:DB8:0::7]:80#9", Qualifier("tcps", "2001:db8::7", 80, "s", 9)),
    ("tcp://[fe80::1%eth0]:80", Qualifier("tcp", "fe80::1%eth0", 80)),
    ("tcp://a:b@host", Qualifier("tcp", "host", secret="a:b")),
    ("tcp://a/b@host", Qualifier("tcp", "host", secret="a/b")),
    ("tcp://a@b@host", Qualifier("tcp", "host", secret="a@b")),
    ("tcp://a#b@host#3", Qualifier("tcp", "host", secret="a#b", pid=3)),
    ("tcp://a%40b%3Ac%2fd%25@host", Qualifier("tcp", "host", secret="a@b:c/d%")),
    ("tcp://p%C3%A4ss@host", Qualifier("tcp", "host", secret="päss")),
    ("tcp://päss wort@host", Qualifier("tcp", "host", secret="päss wort")),
    ("tcp://a+b@host", Qualifier("tcp", "host", secret="a+b")),
    ("tcp://tcps://x@host", Qualifier("tcp", "host", secret="tcps://x")),
    ("tcp://[x]:1@host", Qualifier("tcp", "host", secret="[x]:1")),
    ("  tcp://host \n", Qualifier("tcp", "host")),
    ("tcp://bücher.example", Qualifier("tcp", "bücher.example")),
    ("tcp://my_host.:5", Qualifier("tcp", "my_host.", 5)),
    ("tcp://7of9:5", Qualifier("tcp", "7of9", 5)),
    ("tcp://host:00080", Qualifier("tcp", "host", 80)),
]

BAD = [
    ("", "A qualifier is needed"),
    ("   ", "A qualifier is needed"),
    ("tcp://", "The host is missing"),
    ("hunter2@", "The host is missing"),
    ("tcp://hunter2@:5678", "The host is missing"),
    ("hunter2@#12", "The host is missing"),
    ("http://hunter2@host", "may be tcp://, tcps://, ssh:// or unix://"),
    ("hunter2://x@host", "may be tcp://, tcps://, ssh:// or unix://"),
    ("tcp://hunter2@host:", "The port is a number from 1 to 65535"),
    ("tcp://hunter2@host:0", "The port is a number"),
    ("tcp://hunter2@host:65536", "The port is a number"),
    ("tcp://hunter2@host:http", "The port is a number"),
    ("tcp://hunter2@host:-1", "The port is a number"),
    ("tcp://hunter2@host:٨٠", "The port is a number"),
    ("tcp://user:hunter2", "The port is a number"),
    ("tcp://hunter2@host:80/path", "The port is a number"),
    ("tcp://hunter2@host/path", "a character that no host name has"),
    ("tcp://hunter2@ho st", "a character that no host name has"),
    ("tcp://hunter2@-host", "a character that no host name has"),
    ("tcp://hunter2@host?x=1", "a character that no host name has"),
    ("tcp://hunter2@" + "x" * 300, "too long"),
    ("tcp://hunter2@::1", "in brackets"),
    ("tcp://hunter2@fe80::1:5678", "in brackets"),
    ("tcp://hunter2@[::1", "in brackets"),
    ("tcp://hunter2@[::1]5678", "in brackets"),
    ("tcp://hunter2@[host]", "no IPv6 address"),
    ("tcp://hunter2@[1.2.3.4]", "no IPv6 address"),
    ("tcp://hunter2@[]", "no IPv6 address"),
    ("tcp://hunter2@1.2.3", "looks like an IPv4 address"),
    ("tcp://hunter2@1.2.3.256", "looks like an IPv4 address"),
    ("12345", "looks like an IPv4 address"),
    ("tcp://hunter2@host#", "The process id"),
    ("tcp://hunter2@host#0", "The process id"),
    ("tcp://hunter2@host#python", "The process id"),
    ("tcp://hunter2@host#99999999999", "The process id"),
    ("tcp://hunter2@host#1#2", "The process id"),
    ("tcp://hunter2%@host", "'%' in the secret is written '%25'"),
    ("tcp://hunter2%4@host", "'%' in the secret is written '%25'"),
    ("tcp://100%hunter2@host", "'%' in the secret is written '%25'"),
    ("tcp://hunter2%FF@host", "not UTF-8"),
]


@pytest.mark.parametrize(("text", "qualifier"), GOOD)
def test_good_forms(text: str, qualifier: Qualifier) -> None:
    assert parse_qualifier(text) == qualifier


@pytest.mark.parametrize(("text", "problem"), BAD)
def test_bad_forms(text: str, problem: str) -> None:
    with pytest.raises(QualifierError) as caught:
        parse_qualifier(text)
    message = str(caught.value)
    assert problem in message
    assert "[tcp://|tcps://][SECRET@]HOST[:PORT][#PID]" in message
    assert "hunter2" not in message
    assert caught.value.__context__ is None
    assert isinstance(caught.value, ValueError)


def test_what_is_derived() -> None:
    qualifier = parse_qualifier("tcps://s@[::1]:80#9")
    assert qualifier.tls
    assert qualifier.address == ("::1", 80)
    assert str(qualifier) == "tcps://[::1]:80#9"
    assert not parse_qualifier("host").tls
    assert str(parse_qualifier("host")) == f"tcp://host:{DEFAULT_PORT}"


secrets = st.text(st.characters(codec=None), max_size=20)
hosts = st.sampled_from(["host", "build-7.example", "10.0.0.1", "::1", "fe80::1%eth0", "bücher.example"])
qualifiers = st.builds(
    Qualifier,
    st.sampled_from(["tcp", "tcps"]),
    hosts,
    st.integers(1, 65535),
    st.none() | secrets,
    st.none() | st.integers(1, 2**32 - 1),
)


@given(qualifiers)
def test_qualifiers_survive(qualifier: Qualifier) -> None:
    scheme, _, rest = str(qualifier).partition("://")
    secret = "" if qualifier.secret is None else escape_secret(qualifier.secret) + "@"
    assert parse_qualifier(f"{scheme}://{secret}{rest}") == qualifier
    assert parse_qualifier(str(qualifier)) == dataclasses.replace(qualifier, secret=None)


@given(qualifiers)
def test_a_qualifier_does_not_show_its_secret(qualifier: Qualifier) -> None:
    other = dataclasses.replace(qualifier, secret="another")
    assert (repr(other), str(other), f"{other}") == (repr(qualifier), str(qualifier), f"{qualifier}")
    assert "another" not in repr(other)


def refusal_of(text: str) -> str:
    try:
        parse_qualifier(text)
    except QualifierError as error:
        return str(error)
    return ""


@given(st.sampled_from(["", "tcp://", "tcps://", "x://"]), secrets, st.text(max_size=20), st.text(max_size=8))
def test_no_text_raises_anything_else_and_no_refusal_shows_it(
    scheme: str, secret: str, host: str, end: str
) -> None:
    for middle in (
        f"hunter2{secret}@{host}",
        f"hunter2{secret}",
        f"{secret}:hunter2",
        f"{host}@{secret}hunter2",
    ):
        assert "hunter2" not in refusal_of(f"{scheme}{middle}{end}")


@given(secrets)
def test_an_escaped_secret_is_plain_ascii(secret: str) -> None:
    escaped = escape_secret(secret)
    assert escaped.isascii()
    assert not set(escaped) & set("@:/#[] ")
