"""The corpus: every pair is reviewed as was written down; no blocker missed, none that is none."""

from __future__ import annotations

import html
from pathlib import Path

import pytest

from operations.review.assembly import read_assembly
from operations.review.markdown import LIMIT, comment
from operations.review.review import review
from tests.operations.review.corpus import PAIRS
from tests.operations.review.corpus.pair import Pair, write


@pytest.mark.parametrize("pair", PAIRS, ids=[one.name for one in PAIRS])
def test_a_pair_is_reviewed_as_expected(pair: Pair, tmp_path: Path) -> None:
    before, after = pair.templates()
    base, head = (read_assembly(write(tmp_path / name, one)) for name, one in (("base", before), ("head", after)))
    found = review(base, head)
    blockers = {f"{one.rule} {one.path}".strip() for one in found.gate.blocked}
    assert blockers == pair.blockers
    assert found.gate.verdict == pair.verdict, found.gate
    acts = {f"{stack}/{logical_id}": str(one.act) for (stack, logical_id), one in found.changes.items()}
    assert {key: acts.get(key) for key in pair.acts} == dict(pair.acts)
    assert not pair.only or acts == dict(pair.acts)
    text = comment(found)
    assert len(text) <= LIMIT
    text = html.unescape(text.replace("\\", ""))
    for said in pair.says:
        assert said in text
    for said in pair.silent:
        assert said not in text


def test_there_are_at_least_forty_and_each_has_its_own_name() -> None:
    assert len({one.name for one in PAIRS}) == len(PAIRS) >= 40
