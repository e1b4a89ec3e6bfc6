"""Fingerprints: hashes that name data and models by everything that can change them.

Same fingerprint, same result: the finished job is used again. Plain Python, no CDK.
"""

from __future__ import annotations

import fnmatch
import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

LENGTH = 16
"""Hexadecimal digits of a fingerprint: 64 bits."""


def fingerprint(**parts: Any) -> str:
    """Return a fingerprint of the named parts, which must be plain JSON values without CDK tokens."""
    text = json.dumps(parts, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:LENGTH]


def hash_folder(folder: Path, ignored: Sequence[str]) -> str:
    """Return a hash of the names and bytes of all files below the folder, whatever their dates and modes.

    ``ignored`` holds patterns for the name of a file or folder; what is in an ignored folder is ignored.
    """
    return hash_files(folder, code_files(folder, ignored))


def hash_files(folder: Path, files: Iterable[Path]) -> str:
    """Return a hash of the names (from the folder on) and bytes of the files, in this order."""
    digest = hashlib.sha256()
    for path in files:
        for part in (path.relative_to(folder).as_posix().encode(), path.read_bytes()):
            digest.update(len(part).to_bytes(8, "big"))
            digest.update(part)
    return digest.hexdigest()


def code_files(folder: Path, ignored: Sequence[str]) -> Iterator[Path]:
    """Yield the files below the folder that are not ignored, in the same order everywhere."""
    for path in sorted(folder.rglob("*")):
        names = path.relative_to(folder).parts
        if path.is_file() and not any(fnmatch.fnmatchcase(name, pattern) for name in names for pattern in ignored):
            yield path


def data_fingerprint(
    *,
    code: str,
    shared_code: str,
    source: str,
    image: str,
    instance: str,
    baseline: bool = False,
    asked: bool = False,
) -> str:
    """Return the fingerprint of a dataset.

    ``code`` and ``shared_code`` are folder hashes; ``source`` is ``sample`` or the address of the public object.
    ``baseline`` and ``asked`` say that the job writes rows for monitors, too: data without them is not the same data.
    Limits (disk, minutes) are no part of it: they change whether a job succeeds, not what it makes.
    """
    more = {key: True for key, value in (("baseline", baseline), ("asked", asked)) if value}
    return fingerprint(code=code, shared_code=shared_code, source=source, image=image, instance=instance, **more)


def training_fingerprint(
    *,
    data: str,
    image: str,
    instance: str,
    instances: int,
    channels: Mapping[str, str],
    hyperparameters: Mapping[str, str],
    source: Mapping[str, Any] | None = None,
    tuning: Mapping[str, Any] | None = None,
) -> str:
    """Return the fingerprint of a trained model. ``data`` is the dataset's; spot or not makes no other model.

    ``source`` says which script of which files runs, ``tuning`` what is searched and by which metric; a tuning job's
    seed follows from the fingerprint itself.
    """
    return fingerprint(
        data=data,
        image=image,
        instance=instance,
        instances=instances,
        channels=dict(channels),
        hyperparameters=dict(hyperparameters),
        source=dict(source) if source else None,
        tuning=dict(tuning) if tuning else None,
    )
