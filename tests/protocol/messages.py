"""Hypothesis strategies for messages, lone surrogates included."""

from __future__ import annotations

from hypothesis import strategies as st

from remora_protocol import Event, Request, Response

# Python's file names and broken text give lone surrogates; JSON carries them as escapes.
texts = st.text(st.characters(codec=None), max_size=20)
numbers = st.integers(-(2**63), 2**63) | st.floats(allow_nan=False, allow_infinity=False)
values = st.recursive(
    st.none() | st.booleans() | numbers | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=12,
)
bodies = st.dictionaries(texts, values, max_size=4)
seqs = st.integers(0, 2**53)

requests = st.builds(Request, seqs, texts, bodies)
events = st.builds(Event, seqs, texts, bodies)
responses = st.builds(Response, seqs, seqs, texts, st.booleans(), st.none() | texts, values)
messages = requests | events | responses
