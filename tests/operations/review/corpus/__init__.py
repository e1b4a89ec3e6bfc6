"""Pairs of environments, BASE and HEAD, each with the verdict that was written down before the review was."""

from __future__ import annotations

from tests.operations.review.corpus import access, data, endpoints, exposure, network, odd, resources, stacks
from tests.operations.review.corpus.pair import Pair

PAIRS: tuple[Pair, ...] = (
    *resources.PAIRS,
    *data.PAIRS,
    *endpoints.PAIRS,
    *exposure.PAIRS,
    *access.PAIRS,
    *network.PAIRS,
    *stacks.PAIRS,
    *odd.PAIRS,
)
