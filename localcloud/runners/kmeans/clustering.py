"""Web-scale k-means in the two stages of the service (developer guide, algo-kmeans-tech-notes).

First every host keeps k * extra_center_factor centres and moves the nearest ones with each mini batch it reads; then
the centres of all hosts, each as heavy as the rows it stands for, are shrunk to k by Lloyd's algorithm: scikit-learn's
KMeans, in several trials of which the best is kept.
"""

import io
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from parameter_table import AUTO, Settings
from sagemaker_io import UserError

#: what `auto` comes to in logs of the service
_FACTOR, _TRIALS = 10, 10
#: the service has no seed hyperparameter; the same data and settings give the same model here
_SEED = 0
Floats = NDArray[np.float32]
Log = Callable[[str], None]


def nearest(rows: Floats, centres: Floats) -> tuple[NDArray[np.int64], Floats]:
    """The closest centre of each row, and the squared distance to it."""
    rows, centres = rows.astype(np.float64), centres.astype(np.float64)  # the differences are small beside the squares
    squares = (rows**2).sum(axis=1)[:, None] - 2 * rows @ centres.T + (centres**2).sum(axis=1)[None]
    closest = squares.argmin(axis=1)
    return closest, np.maximum(squares[np.arange(len(rows)), closest], 0).astype(np.float32)


@dataclass(frozen=True)
class Summary:
    """What stands for the rows of one host: centres, and how many rows each is worth."""

    centres: Floats
    weights: Floats

    def to_bytes(self) -> bytes:
        """For the way to the first host."""
        content = io.BytesIO()
        np.savez(content, centres=self.centres, weights=self.weights)
        return content.getvalue()

    @classmethod
    def of(cls, parts: list[bytes]) -> "Summary":
        """Of all hosts together."""
        found = [np.load(io.BytesIO(part), allow_pickle=False) for part in parts]
        return cls(
            np.concatenate([each["centres"] for each in found]), np.concatenate([each["weights"] for each in found])
        )


def factor_of(settings: Settings, rows: int) -> int:
    """How many centres are kept for each of the k. `rows` are those of the first mini batch. Raises UserError."""
    wanted = int(settings.auto("extra_center_factor", max(min(_FACTOR, rows // settings.k), 1)))
    if settings.k * wanted > rows:
        raise UserError(
            f"k * extra_center_factor is {settings.k * wanted}: more centers than the first mini batch has rows "
            f"({rows}). Use more data, a larger mini_batch_size, or a smaller k or extra_center_factor."
        )
    return wanted


def summarise(settings: Settings, rows: Floats, host: int, log: Log) -> Summary:
    """The first stage, on one host's rows. Raises UserError when there are too few."""
    size = min(settings.mini_batch_size, len(rows))
    factor = factor_of(settings, size)
    if settings.extra_center_factor == AUTO:
        log(f"'extra_center_factor' was set to 'auto', evaluated to {factor}.")
    if size < settings.mini_batch_size:
        log(
            f"Batch size {settings.mini_batch_size} is bigger than the first batch data. Effective batch size used to "
            f"initialize is {size}"
        )
    random = np.random.default_rng([_SEED, host])
    centres = _initial(settings.init_method, rows[:size], settings.k * factor, random)
    weights = np.zeros(len(centres))
    # rows that a batch of rows seen this long ago still counts for: all of them without a half life
    kept = 0.5 ** (settings.mini_batch_size / settings.half_life_time_size) if settings.half_life_time_size else 1.0
    for _ in range(settings.epochs):
        for start in range(0, len(rows), size):
            batch = rows[start : start + size]
            closest, _ = nearest(batch, centres)
            counts = np.bincount(closest, minlength=len(centres))
            sums = np.zeros(centres.shape)
            np.add.at(sums, closest, batch)
            weights = weights * kept + counts
            moved = counts > 0
            step = (counts[moved] / weights[moved])[:, None]
            centres[moved] += (step * (sums[moved] / counts[moved][:, None] - centres[moved])).astype(np.float32)
    used = weights > 0
    return Summary(centres[used], weights[used].astype(np.float32))


def _initial(method: str, rows: Floats, count: int, random: np.random.Generator) -> Floats:
    if method == "random":
        return rows[random.choice(len(rows), count, replace=False)].copy()
    from sklearn.cluster import kmeans_plusplus  # a second that jobs with the default need not wait

    centres, _ = kmeans_plusplus(rows, count, random_state=int(random.integers(2**31)))
    return np.asarray(centres, np.float32)


def shrink(settings: Settings, summary: Summary, log: Log) -> tuple[Floats, float]:
    """The second stage: k centres, and the mean squared distance of what they stand for. Raises UserError."""
    from sklearn.cluster import KMeans

    if len(np.unique(summary.centres, axis=0)) < settings.k:
        raise UserError(f"The training data has fewer different rows than k, which is {settings.k}.")
    log(f"shrinking {len(summary.centres)} centers into {settings.k}")
    best: tuple[float, Floats] | None = None
    for trial in range(int(settings.auto("local_lloyd_num_trials", _TRIALS))):
        lloyd = KMeans(
            settings.k,
            init={"kmeans++": "k-means++"}.get(settings.local_lloyd_init_method, "random"),
            n_init=1,
            max_iter=settings.local_lloyd_max_iter,
            tol=settings.local_lloyd_tol,
            random_state=_SEED + trial,
        ).fit(summary.centres, sample_weight=summary.weights)
        distance = float(lloyd.inertia_ / summary.weights.sum())
        log(f"local kmeans attempt #{trial}. Current mean square distance {distance:f}")
        if best is None or distance < best[0]:
            best = distance, np.asarray(lloyd.cluster_centers_, np.float32)
    if best is None:
        raise ValueError("local_lloyd_num_trials is 0")
    return best[1], best[0]
