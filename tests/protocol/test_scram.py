from __future__ import annotations

import base64
import hmac
import itertools
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from remora_protocol import (
    MECHANISM,
    MECHANISM_PLUS,
    OBSERVER,
    USER,
    ScramClient,
    ScramError,
    ScramServer,
    ScramState,
    Verifier,
)
from remora_protocol import _scram as scram
from remora_protocol._scram_text import escape_user, prepare_secret, unescape_user

SECRET = "correct horse"
VERIFIER = Verifier.from_secret(SECRET)
VERIFIERS = {USER: VERIFIER, OBSERVER: Verifier.from_secret("only looking")}
BINDING = b"certificate's hash"


def refusal(call: object, *arguments: object) -> ScramError:
    with pytest.raises(ScramError) as caught:
        call(*arguments)  # type: ignore[operator]
    return caught.value


def plain(secret: str = SECRET, user: str = USER) -> tuple[ScramClient, ScramServer]:
    return ScramClient(secret, MECHANISM, user=user), ScramServer(VERIFIERS)


def bound(client: bytes = BINDING, server: bytes = BINDING) -> tuple[ScramClient, ScramServer]:
    return (
        ScramClient(SECRET, MECHANISM_PLUS, channel_binding=client),
        ScramServer(VERIFIERS, channel_binding=server),
    )


def log_in(client: ScramClient, server: ScramServer) -> None:
    server_first = server.start(server.mechanisms[0], client.first())
    client.finish(server.finish(client.receive(server_first)))


def test_the_vector_of_rfc_7677() -> None:
    server_first = b"r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"
    client_final = (
        b"c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
        b"p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="
    )
    server_final = b"v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="
    client = ScramClient("pencil", MECHANISM, user="user", nonce="rOprNGfwEbeRWgbNEkqO")
    verifier = Verifier.from_secret("pencil", base64.b64decode("W22ZaJ0SNY7soEsUEjb6gQ=="), 4096)
    server = ScramServer({"user": verifier}, nonce="%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0")

    assert client.first() == b"n,,n=user,r=rOprNGfwEbeRWgbNEkqO"
    assert server.start(MECHANISM, b"n,,n=user,r=rOprNGfwEbeRWgbNEkqO") == server_first
    assert client.receive(server_first) == client_final
    assert server.finish(client_final) == server_final
    client.finish(server_final)
    assert client.done
    assert server.user == "user"


@pytest.mark.parametrize(("secret", "user"), [(SECRET, USER), ("only looking", OBSERVER)])
def test_the_user_name_says_whose_secret_was_proved(secret: str, user: str) -> None:
    client, server = plain(secret, user)
    assert server.user is None
    log_in(client, server)
    assert server.user == user


def test_the_bound_login() -> None:
    client, server = bound()
    log_in(client, server)
    assert (client.done, server.done) == (True, True)


@given(st.text(max_size=30))
def test_every_typeable_secret_works_and_no_other_one_does(secret: str) -> None:
    try:
        verifier = Verifier.from_secret(secret, b"0123456789abcdef")
    except ValueError:  # nobody can type it: below
        return
    client, server = ScramClient(secret, MECHANISM), ScramServer(verifier)
    log_in(client, server)
    wrong = ScramClient(secret + "x", MECHANISM), ScramServer(verifier)
    assert refusal(log_in, *wrong).reason == "invalid-proof"


@pytest.mark.parametrize(
    ("typed", "prepared"),
    [
        ("I\xadX", "IX"),
        ("user", "user"),
        ("USER", "USER"),
        ("\xaa", "a"),
        ("\u2168", "IX"),
        ("a\xa0b", "a b"),
        ("e\u0301", "é"),
        ("\N{ANGSTROM SIGN}", "Å"),
        ("\N{SEE-NO-EVIL MONKEY}", "\N{SEE-NO-EVIL MONKEY}"),
        ("שלום1", "שלום1"),
        ("", ""),
    ],
)
def test_the_same_secret_typed_elsewhere_is_the_same(typed: str, prepared: str) -> None:
    assert prepare_secret(typed) == prepared.encode()


@pytest.mark.parametrize(
    "secret", ["hunter2\n", "hun\x00ter2", "hunter2\x7f", "hunter2\ud800", "hunter2\ue000"]
)
def test_a_secret_that_nobody_can_type_is_refused_unseen(secret: str) -> None:
    for use in (Verifier.from_secret, lambda secret: ScramClient(secret, MECHANISM)):
        with pytest.raises(ValueError, match="control character") as caught:
            use(secret)
        assert "hunter2" not in repr(caught.value)
        assert caught.value.__context__ is None


def test_nothing_shows_the_secret_or_the_keys() -> None:
    client, server = plain("hunter2")
    error = refusal(log_in, client, server)
    for text in map(repr, (client, server, error, VERIFIER, str(error))):
        assert "hunter2" not in text
        assert "key" not in text
    assert repr(client) == "<ScramClient final-sent>"
    assert repr(server) == "<ScramServer failed>"


def test_the_secret_is_not_on_the_wire() -> None:
    client, server = plain()
    first = client.first()
    server_first = server.start(MECHANISM, first)
    final = client.receive(server_first)
    for message in (first, server_first, final, server.finish(final)):
        for form in (SECRET.encode(), base64.b64encode(SECRET.encode()), VERIFIER.stored_key):
            assert form not in message


def test_the_server_can_make_no_proof_from_what_it_keeps() -> None:
    kept = {getattr(VERIFIER, name) for name in ("salt", "stored_key", "server_key")}
    salted = scram._salt(SECRET.encode(), VERIFIER.salt, VERIFIER.iterations)
    assert not kept & {salted, scram._hmac(salted, b"Client Key"), SECRET.encode()}


@pytest.mark.parametrize("change", [lambda proof: proof + b"x", lambda proof: proof[:-1], lambda proof: b""])
def test_a_proof_of_another_length_is_none(change: Callable[[bytes], bytes]) -> None:
    client, server = plain()
    final, _, proof = client.receive(server.start(MECHANISM, client.first())).rpartition(b",p=")
    changed_proof = base64.b64encode(change(base64.b64decode(proof)) or b"\0")
    assert refusal(server.finish, final + b",p=" + changed_proof).reason == "invalid-proof"


def test_a_wrong_secret_and_a_wrong_user_look_the_same() -> None:
    seen = []
    for secret, user in (("wrong", USER), (SECRET, "nobody"), (SECRET, OBSERVER), (SECRET, "a=b,c")):
        client, server = plain(secret, user)
        server_first = server.start(MECHANISM, client.first())
        names = [item[:1] for item in server_first.split(b",")]
        error = refusal(server.finish, client.receive(server_first))
        seen.append((names, len(server_first), error.reason, str(error)))
    assert len({repr(item) for item in seen}) == 1
    assert seen[0][2] == "invalid-proof"


def test_an_unknown_user_has_the_same_salt_every_time() -> None:
    def salt_of(user: str) -> bytes:
        client, server = plain(user=user)
        return server.start(MECHANISM, client.first()).split(b",")[1]

    assert salt_of("nobody") == salt_of("nobody") != salt_of("somebody")


def test_a_server_without_verifiers_lets_nobody_in() -> None:
    client, server = ScramClient(SECRET, MECHANISM), ScramServer({})
    assert refusal(log_in, client, server).reason == "invalid-proof"


def test_a_recorded_login_is_worth_nothing() -> None:
    client, server = plain()
    first = client.first()
    final = client.receive(server.start(MECHANISM, first))
    server.finish(final)
    again = ScramServer(VERIFIERS)
    again.start(MECHANISM, first)
    assert refusal(again.finish, final).reason == "nonce"


def test_a_recorded_server_is_found_out() -> None:
    client, server = plain()
    server_first = server.start(MECHANISM, client.first())
    server_final = server.finish(client.receive(server_first))
    later = ScramClient(SECRET, MECHANISM)
    later.first()
    assert refusal(later.receive, server_first).reason == "nonce"
    # Even one that foresees the client's nonce: it cannot sign what the client says this time.
    same, other = ScramClient(SECRET, MECHANISM, nonce="n" * 20), ScramServer(VERIFIERS)
    same.receive(other.start(MECHANISM, same.first()))
    assert refusal(same.finish, server_final).reason == "wrong-signature"


def test_a_server_that_does_not_know_the_secret_is_found_out() -> None:
    client, server = ScramClient(SECRET, MECHANISM), ScramServer(Verifier.from_secret("a guess"))
    server_first = server.start(MECHANISM, client.first())
    client.receive(server_first)
    forged = b"v=" + base64.b64encode(scram._hmac(b"guess", b"anything"))
    assert refusal(client.finish, forged).reason == "wrong-signature"
    assert not client.done


def test_own_messages_sent_back_are_refused() -> None:
    client, server = plain()
    first = client.first()
    server_first = server.start(MECHANISM, first)
    assert refusal(client.receive, first[3:]).reason == "invalid-encoding"
    assert refusal(server.finish, server_first).reason == "invalid-encoding"


def test_a_nonce_that_adds_nothing_is_refused() -> None:
    client, _ = plain()
    nonce = client.first().split(b"r=")[1]
    assert refusal(client.receive, b"r=" + nonce + b",s=MDEyMzQ1Njc4OTo7,i=4096").reason == "nonce"


def test_another_certificate_in_between_is_found_out() -> None:
    client, server = bound(client=b"the man in the middle's")
    assert refusal(log_in, client, server).reason == "channel-bindings-dont-match"


def start_of(server: ScramServer, mechanism: str, client_first: bytes) -> str:
    return refusal(server.start, mechanism, client_first).reason


@pytest.mark.parametrize(
    ("binding", "mechanism", "header", "reason"),
    [
        (BINDING, MECHANISM, b"y,,", "server-does-support-channel-binding"),
        (BINDING, MECHANISM_PLUS, b"y,,", "server-does-support-channel-binding"),
        (BINDING, MECHANISM, b"n,,", "wrong-mechanism"),
        (BINDING, MECHANISM_PLUS, b"n,,", "channel-binding-not-supported"),
        (BINDING, MECHANISM, b"p=tls-server-end-point,,", "wrong-mechanism"),
        (BINDING, MECHANISM_PLUS, b"p=tls-unique,,", "unsupported-channel-binding-type"),
        (None, MECHANISM_PLUS, b"p=tls-server-end-point,,", "wrong-mechanism"),
        (None, MECHANISM, b"p=tls-server-end-point,,", "channel-binding-not-supported"),
        (None, "SCRAM-SHA-1", b"n,,", "wrong-mechanism"),
        (None, MECHANISM, b"n,a=root,", "invalid-encoding"),
        (None, MECHANISM, b"x,,", "invalid-encoding"),
        (None, MECHANISM, b"", "invalid-encoding"),
        (None, MECHANISM, b"p=,,", "invalid-encoding"),
    ],
)
def test_no_login_is_less_than_the_connection_can_do(
    binding: bytes | None, mechanism: str, header: bytes, reason: str
) -> None:
    server = ScramServer(VERIFIER, channel_binding=binding)
    assert start_of(server, mechanism, header + b"n=remora,r=0123456789abcdef") == reason


def test_a_client_that_could_do_more_is_told_that_more_was_offered() -> None:
    cautious = ScramClient(SECRET, MECHANISM, channel_binding=BINDING)
    assert cautious.first().startswith(b"y,,")
    log_in(ScramClient(SECRET, MECHANISM, channel_binding=BINDING), ScramServer(VERIFIER))
    with pytest.raises(ValueError, match="downgrade"):
        ScramClient(SECRET, MECHANISM, channel_binding=BINDING, server_offers_plus=True)
    with pytest.raises(ValueError, match="channel_binding"):
        ScramClient(SECRET, MECHANISM_PLUS)
    with pytest.raises(ValueError, match="mechanism"):
        ScramClient(SECRET, "PLAIN")


@pytest.mark.parametrize(
    ("client_first", "reason"),
    [
        (b"n,,m=x,n=remora,r=0123456789abcdef", "extensions-not-supported"),
        (b"n,,n=remora,r=short", "nonce"),
        (b"n,,n=remora,r=" + b"0" * 257, "nonce"),
        (b"n,,n=remora,r=0123456789\xc3\xa9", "nonce"),
        (b"n,,n=remora,r=0123456789 abcdef", "nonce"),
        (b"n,,n=re=20mora,r=0123456789abcdef", "invalid-username-encoding"),
        (b"n,,n=re=2cmora,r=0123456789abcdef", "invalid-username-encoding"),
        (b"n,,r=0123456789abcdef,n=remora", "invalid-encoding"),
        (b"n,,n=remora", "invalid-encoding"),
        (b"n,,n=remora,r=0123456789abcdef,r=0123456789abcdef", "invalid-encoding"),
        (b"n,,n=remora,r=0123456789abcdef,", "invalid-encoding"),
        (b"n,,n=remora,,r=0123456789abcdef", "invalid-encoding"),
        (b"n,,n=,r=0123456789abcdef", "invalid-encoding"),
        (b"n,,n=\xff,r=0123456789abcdef", "invalid-encoding"),
        (b"n,,n=" + b"x" * 5000 + b",r=0123456789abcdef", "invalid-encoding"),
    ],
)
def test_client_first_messages_that_are_refused(client_first: bytes, reason: str) -> None:
    assert start_of(ScramServer(VERIFIER), MECHANISM, client_first) == reason


def test_extensions_that_may_be_passed_over_are() -> None:
    server = ScramServer(VERIFIER)
    assert server.start(MECHANISM, b"n,,n=remora,r=0123456789abcdef,x=some=thing").startswith(b"r=0123")
    client = ScramClient(SECRET, MECHANISM, nonce="0123456789abcdef")
    client.first()
    client.receive(b"r=0123456789abcdef0,s=MDEyMzQ1Njc4OTo7,i=4096,x=y")


@pytest.mark.parametrize(
    ("server_first", "reason"),
    [
        (b"m=x,r=0123456789abcdef0,s=MDEyMzQ1Njc4OTo7,i=4096", "extensions-not-supported"),
        (b"r=0123456789abcdef0,s=MDEyMzQ1Njc4OTo7,i=4095", "iterations"),
        (b"r=0123456789abcdef0,s=MDEyMzQ1Njc4OTo7,i=1000001", "iterations"),
        (b"r=0123456789abcdef0,s=MDEyMzQ1Njc4OTo7,i=" + b"9" * 1000, "iterations"),
        (b"r=0123456789abcdef0,s=MDEyMzQ1Njc4OTo7,i=04096", "iterations"),
        (b"r=0123456789abcdef0,s=MDEyMzQ1Njc4OTo7,i=+4096", "iterations"),
        (b"r=0123456789abcdef0,s=MDEyMzQ1Njc4OTo7,i=4_096", "iterations"),
        ("r=0123456789abcdef0,s=MDEyMzQ1Njc4OTo7,i=٤٠٩٦".encode(), "iterations"),
        (b"r=0123456789abcdef0,s=MDEy,i=4096", "other-error"),
        (b"r=0123456789abcdef0,s=MDEyMzQ1Njc4OTo,i=4096", "invalid-encoding"),
        (b"r=0123456789abcdef0,s=MDEyMzQ1 jc4OTo7,i=4096", "invalid-encoding"),
        (b"r=0123456789abcdef0,s=MDEyMzQ1Njc4OTo7MB==,i=4096", "invalid-encoding"),
        (b"r=other456789abcdef0,s=MDEyMzQ1Njc4OTo7,i=4096", "nonce"),
        (b"r=0123456789abcdef\xc3\xa9,s=MDEyMzQ1Njc4OTo7,i=4096", "nonce"),
        (b"r=0123456789abcdef0,i=4096,s=MDEyMzQ1Njc4OTo7", "invalid-encoding"),
        (b"r=0123456789abcdef0,s=MDEyMzQ1Njc4OTo7", "invalid-encoding"),
        (b"r=0123456789abcdef0,s=MDEyMzQ1Njc4OTo7,i=4096,m=x", "invalid-encoding"),
        (b"r=0123456789abcdef0,s=MDEyMzQ1Njc4OTo7,i=4096,i=4097", "invalid-encoding"),
        (b"e=other-error", "invalid-encoding"),
        (b"", "invalid-encoding"),
    ],
)
def test_server_first_messages_that_are_refused(server_first: bytes, reason: str) -> None:
    client = ScramClient(SECRET, MECHANISM, nonce="0123456789abcdef")
    client.first()
    error = refusal(client.receive, server_first)
    assert error.reason == reason
    assert client.state is ScramState.FAILED


@pytest.mark.parametrize("iterations", [4096, 10_000])
def test_the_server_may_ask_for_more_work(iterations: int) -> None:
    client, server = (
        ScramClient(SECRET, MECHANISM),
        ScramServer(Verifier.from_secret(SECRET, None, iterations)),
    )
    log_in(client, server)
    assert client.done


@pytest.mark.parametrize(
    ("server_final", "reason"),
    [
        (b"e=invalid-proof", "invalid-proof"),
        (b"e=unknown-user,x=y", "unknown-user"),
        (b"e=\x1b[31mhello", "other-error"),
        (b"e=", "other-error"),
        (b"v=", "invalid-encoding"),
        (b"v=AAAA", "wrong-signature"),
        (b"v=" + base64.b64encode(bytes(32)), "wrong-signature"),
        (b"", "invalid-encoding"),
    ],
)
def test_a_client_is_content_with_nothing_but_a_proof(server_final: bytes, reason: str) -> None:
    client, server = plain()
    client.receive(server.start(MECHANISM, client.first()))
    error = refusal(client.finish, server_final)
    assert error.reason == reason
    assert "\x1b" not in str(error)
    assert not client.done


def log_in_with(number: int, change: str | int) -> ScramClient:
    """A bound login whose message of this number is changed on its way; the client, if it got to the end."""
    client, server = bound()

    def pass_on(data: bytes, place: int) -> bytes:
        return changed(data, change) if place == number else data

    server_first = server.start(MECHANISM_PLUS, pass_on(client.first(), 0))
    client_final = client.receive(pass_on(server_first, 1))
    client.finish(pass_on(server.finish(pass_on(client_final, 2)), 3))
    return client


@pytest.mark.parametrize("number", range(4))
def test_any_change_to_any_message_ends_the_login(number: int) -> None:
    """Each message in turn is cut, lengthened, and changed in each of its bytes."""
    assert log_in_with(4, "cut").done
    for change in ("cut", "more", *range(150)):
        refusal(log_in_with, number, change)


def changed(data: bytes, change: str | int) -> bytes:
    if change == "cut":
        return data[:-1]
    if change == "more":
        return data + b"x"
    place = int(change) % len(data)
    return data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]


def test_states_are_the_tables() -> None:
    assert all(target is not ScramState.FAILED for target in scram.CLIENT_TRANSITIONS.values())
    assert ScramState.DONE in scram.CLIENT_TRANSITIONS.values()
    assert ScramState.DONE in scram.SERVER_TRANSITIONS.values()


@pytest.mark.parametrize("order", list(itertools.permutations(["first", "receive", "finish"]))[1:])
def test_a_client_called_out_of_turn_is_lost(order: tuple[str, ...]) -> None:
    twin, server = ScramClient(SECRET, MECHANISM, nonce="0123456789abcdef"), ScramServer(VERIFIERS)
    server_first = server.start(MECHANISM, twin.first())
    server_final = server.finish(twin.receive(server_first))
    client = ScramClient(SECRET, MECHANISM, nonce="0123456789abcdef")
    calls: dict[str, Callable[[], object]] = {
        "first": client.first,
        "receive": lambda: client.receive(server_first),
        "finish": lambda: client.finish(server_final),
    }
    error = refusal(lambda: [calls[name]() for name in order])
    assert (error.reason, client.state) == ("wrong-state", ScramState.FAILED)


def test_a_server_is_good_for_one_login() -> None:
    client, server = plain()
    assert refusal(server.finish, b"c=biws").reason == "wrong-state"
    server = ScramServer(VERIFIERS)
    first = client.first()
    final = client.receive(server.start(MECHANISM, first))
    server.finish(final)
    assert refusal(server.finish, final).reason == "wrong-state"
    assert (server.done, server.user) == (False, None)
    server = ScramServer(VERIFIERS)
    server.start(MECHANISM, first)
    assert refusal(server.start, MECHANISM, first).reason == "wrong-state"


message = st.binary(max_size=120) | st.lists(
    st.tuples(st.sampled_from("nrsicpvemxa"), st.text(max_size=12)), max_size=5
).map(lambda pairs: ",".join(f"{name}={value}" for name, value in pairs).encode())


@given(message, message)
def test_no_bytes_raise_anything_else(one: bytes, two: bytes) -> None:
    server = ScramServer(VERIFIER)
    refusal(lambda: server.finish(two) if server.start(MECHANISM, b"n,," + one) else None)
    client, other = plain()
    client.first()
    try:
        client.receive(one)
    except ScramError:
        client, other = plain()
        client.receive(other.start(MECHANISM, client.first()))
    refusal(client.finish, two)


@given(st.text(max_size=20))
def test_user_names_survive(user: str) -> None:
    assert unescape_user(escape_user(user)) == user
    assert "," not in escape_user(user)


def test_what_depends_on_a_secret_is_compared_in_constant_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Proofs, the nonce, the binding: all that an attacker could find out byte by byte."""
    compared = []

    def compare(one: bytes, other: bytes) -> bool:
        compared.append(one)
        return hmac_compare(one, other)

    hmac_compare = hmac.compare_digest
    monkeypatch.setattr("remora_protocol._scram.compare_digest", compare)
    client = ScramClient("secret", MECHANISM)
    server = ScramServer(Verifier.from_secret("secret"))
    final = client.receive(server.start(MECHANISM, client.first()))
    client.finish(server.finish(final))
    assert len(compared) == 4
