"""Dividing rows into train, validation and test so that every part has the same share of each class.

Runs on Python 3.8 and newer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Sequence

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt


def stratified_split(classes: npt.ArrayLike, fractions: Sequence[float], seed: int) -> list[npt.NDArray[Any]]:
    """Return one array of row numbers per entry of ``fractions``; together they hold every row exactly once.

    ``classes`` has the shape (rows,). Each class is shuffled and cut by itself, and each part is shuffled
    again, so that a part neither misses a class nor lists the classes one after the other. ``RandomState``
    is used because numpy guarantees its stream for all time: the same seed gives the same split on every
    version. Raises ValueError when the fractions do not add up to one.
    """
    if abs(sum(fractions) - 1.0) > 1e-9 or min(fractions) <= 0:
        raise ValueError(f"the fractions must be positive and add up to 1, not {list(fractions)}")
    labels = np.asarray(classes)
    random = np.random.RandomState(seed)
    parts: list[list[npt.NDArray[Any]]] = [[] for _ in fractions]
    shares = np.cumsum(fractions)[:-1]
    for name in np.unique(labels):
        rows = random.permutation(np.flatnonzero(labels == name))
        cuts = np.round(shares * len(rows)).astype(int)
        for index, piece in enumerate(np.split(rows, cuts)):
            parts[index].append(piece)
    return [random.permutation(np.concatenate(pieces)) for pieces in parts]
