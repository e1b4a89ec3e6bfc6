"""What a processing job sees: where its input lies, where its output goes, and which data it is asked for.

The folders are SageMaker's: the job definition mounts inputs below ``/opt/ml/processing/input`` and uploads
what it finds below ``/opt/ml/processing/output``; the output folders exist before the program starts. A
toolkits' variable ``SAGEMAKER_BASE_DIR`` moves them: tests set it, and localcloud on a machine without namespaces.

Runs on Python 3.8 and newer.
"""

from __future__ import annotations

import csv
import io
import json
import os
import re
import sys
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, Callable, Mapping, Match, Sequence

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

SPLITS = ("train", "validation", "test")

_SCIENTIFIC = re.compile(r"(?<![^,\n])-?\d[\d.]*e[-+]\d+(?=[,\n])")


class JobError(Exception):
    """The job cannot do what it was asked; the text becomes the last line of its log and its exit message."""


def run(main: Callable[[], None]) -> None:
    """Run a job's program; turn a JobError into exit code 1, a line of the log and the job's ExitMessage.

    SageMaker reads the ExitMessage from ``/opt/ml/output/message`` and keeps its first kilobyte (developer
    guide, "Build your own processing container"). Any other exception is a defect and shows its traceback.
    """
    try:
        main()
        if os.environ.get("SANDCASTLE_ASKED") == "true":
            write_asked()
    except JobError as error:
        message = root().parent / "output" / "message"
        message.parent.mkdir(parents=True, exist_ok=True)
        message.write_text(str(error), encoding="utf-8")
        sys.exit(f"error: {error}")


def root() -> Path:
    """Return the folder that holds ``input`` and ``output``."""
    return Path(os.environ.get("SAGEMAKER_BASE_DIR", "/opt/ml"), "processing")


def wants_full_data() -> bool:
    """Return whether the environment asks for the public data set rather than the sample.

    Raises JobError when ``SANDCASTLE_DATA`` is neither ``sample`` nor ``full``.
    """
    choice = os.environ.get("SANDCASTLE_DATA", "sample")
    if choice not in ("sample", "full"):
        raise JobError(f"SANDCASTLE_DATA is '{choice}'; it must be 'sample' or 'full'")
    return choice == "full"


def full_data_file() -> Path:
    """Return the one downloaded file of the input ``full``; raise JobError when there is not exactly one."""
    folder = root() / "input" / "full"
    files = sorted(path for path in folder.glob("*") if path.is_file()) if folder.is_dir() else []
    if len(files) != 1:
        raise JobError(f"{folder} must hold exactly one file, the public data set; it holds {len(files)}")
    return files[0]


def wants_baseline() -> bool:
    """Return whether something is to watch the endpoint: ``SANDCASTLE_BASELINE`` says so, or a pipeline asks.

    A pipeline names their version (``SANDCASTLE_DATA_VERSION``), and all that it deploys is watched.
    """
    return os.environ.get("SANDCASTLE_BASELINE") == "true" or "SANDCASTLE_DATA_VERSION" in os.environ


def output(name: str) -> Path:
    """Return the output folder ``name``: ``train``, ``validation``, ``test``, ``about``, ``baseline`` or ``asked``."""
    folder = root() / "output" / name
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def write_csv(path: Path, labels: npt.ArrayLike | None, features: npt.ArrayLike, header: Sequence[str] = ()) -> int:
    """Write rows as the built-in algorithms read them: label first, no header unless given; return their number.

    ``labels`` has the shape (rows,) and holds integers, None where rows have none; ``features`` (rows,
    columns). Numbers are written as short as six significant digits allow, so whole numbers have no decimal point and
    pixels stay small; never as ``9e-06``, which Model Monitor reads as a text, and the whole column with it.
    """
    matrix = np.asarray(features, dtype=np.float64)
    table = matrix if labels is None else np.column_stack([np.asarray(labels, dtype=np.float64), matrix])
    with io.StringIO() as text:
        np.savetxt(text, table, fmt="%.6g", delimiter=",", newline="\n", header=",".join(header), comments="")
        path.write_bytes(_SCIENTIFIC.sub(_written_out, text.getvalue()).encode("utf-8"))
    return int(table.shape[0])


def _written_out(found: Match[str]) -> str:
    return format(Decimal(found.group()), "f")


def write_baseline(
    label: str | None, names: Sequence[str], labels: npt.ArrayLike | None, features: npt.ArrayLike
) -> None:
    """Write ``baseline/baseline.csv``, if it is wanted: what the endpoint's requests are compared with later.

    Those are the training rows, with a header: the name of the label, then those of the features. Without a label (both
    are None) the rows have features only: what a cluster is called means nothing.
    """
    if wants_baseline():
        write_csv(output("baseline") / "baseline.csv", labels, features, header=[*([label] if label else []), *names])


def write_asked() -> None:
    """Write ``asked/asked.csv``: the baseline without its label, as transform jobs ask the model, with a header.

    Which columns are features ``about.json`` says, so that it is the same for all workloads. Raises JobError when there
    is no baseline.
    """
    source = output("baseline") / "baseline.csv"
    if not source.is_file():
        raise JobError("SANDCASTLE_ASKED needs a baseline: SANDCASTLE_BASELINE is not 'true'")
    features = set(json.loads((output("about") / "about.json").read_text(encoding="utf-8"))["features"])
    with source.open(newline="", encoding="utf-8") as read, (output("asked") / "asked.csv").open(
        "w", newline="", encoding="utf-8"
    ) as written:
        rows, writer = csv.reader(read), csv.writer(written, lineterminator="\n")
        header = next(rows)
        kept = [place for place, name in enumerate(header) if name in features]
        writer.writerow([header[place] for place in kept])
        writer.writerows([row[place] for place in kept] for row in rows)


def write_about(
    *,
    origin: str,
    source: str,
    rows: Mapping[str, int],
    features: Sequence[str],
    label: str,
    classes: Sequence[str],
    picture: Mapping[str, Any] | None = None,
) -> None:
    """Write ``about/about.json``: what this data set is, for everyone who shows results of it.

    ``origin`` is ``real`` (collected, ships with a library), ``generated`` (invented rows in a published
    schema) or ``public`` (the data set of the tutorial). ``features`` are the column names in order,
    ``classes`` what label 0 and label 1 mean. ``picture`` is present when a row is an image.
    """
    if origin not in ("real", "generated", "public"):
        raise ValueError(f"origin must be real, generated or public, not {origin!r}")
    document: dict[str, Any] = {
        "origin": origin,
        "source": source,
        "rows": {split: int(rows.get(split, 0)) for split in SPLITS},
        "features": list(features),
        "label": label,
        "classes": list(classes),
    }
    if picture is not None:
        document["picture"] = dict(picture)
    text = json.dumps(document, indent=2, sort_keys=True) + "\n"
    (output("about") / "about.json").write_text(text, encoding="utf-8")
    counts = ", ".join(f"{document['rows'][split]} {split}" for split in SPLITS)
    print(f"{origin} data: {source}")
    print(f"rows: {counts}; features: {len(document['features'])}")
