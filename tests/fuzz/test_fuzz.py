"""Every input that is kept, every crash of the past, and a short run of new ones. `scripts/fuzz` goes on."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fuzz.targets import TARGETS

HERE = Path(__file__).parent
KEPT = sorted(path for kind in ("corpus", "crashes") for path in (HERE / kind).glob("*/*") if path.is_file())


def words() -> list[bytes]:
    """The words of the fuzzer's dictionary."""
    lines = (HERE / "words.dict").read_text(encoding="utf-8").splitlines()
    return [line[1:-1].encode().decode("unicode_escape").encode("latin-1") for line in lines]


INPUTS = st.lists(st.one_of(st.binary(max_size=30), st.sampled_from(words())), max_size=12).map(b"".join)


@pytest.mark.parametrize("path", KEPT, ids=lambda path: f"{path.parent.name}-{path.name}")
def test_what_is_kept(path: Path) -> None:
    TARGETS[path.parent.name](path.read_bytes())


@pytest.mark.parametrize("name", TARGETS)
def test_a_short_run(name: str) -> None:
    @settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck), database=None)
    @given(INPUTS)
    def run(data: bytes) -> None:
        TARGETS[name](data)

    run()


def test_the_kept_inputs_reach_every_target() -> None:
    assert {path.parent.name for path in KEPT} == set(TARGETS)
