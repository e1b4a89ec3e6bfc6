"""Which jobs run again, and why: their fingerprints say so before anything is deployed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from operations.review.change import Act, Change, Key
from operations.review.values import short

_JOBS: Mapping[str, str] = {
    "Custom::SandcastleDataset": "prepares its data",
    "Custom::SandcastleTrainedModel": "trains",
}


@dataclass(frozen=True)
class Rerun:
    """A job that runs again on deploy, and why; the reasons are in words."""

    stack: str
    path: str
    words: str
    why: tuple[str, ...]


def reruns(changes: Mapping[Key, Change]) -> list[Rerun]:
    """Return the jobs that another fingerprint, or their first deploy, makes run."""
    found = []
    for change in changes.values():
        if change.type in _JOBS and change.act in (Act.UPDATE, Act.REPLACE):
            prints = [one for one in change.properties if one.path == "Fingerprint"]
            if prints:
                why = tuple(_reasons(change.properties, prints[0].before, prints[0].after))
                words = f"{_JOBS[change.type]} again: fingerprint {short(prints[0].before)} → {short(prints[0].after)}"
                found.append(Rerun(change.stack, change.path, words, why))
    return found


def _reasons(properties: Iterable[Any], before: object, after: object) -> list[str]:
    """Return what differs in the job's request, apart from the fingerprint itself where it is in addresses."""
    found = []
    for one in properties:
        name = one.path.removeprefix("Request.")
        if name == "Fingerprint":
            continue
        if isinstance(one.before, str) and isinstance(one.after, str):
            told = one.before.replace(str(before), ""), one.after.replace(str(after), "")
            if told[0] == told[1]:
                continue
        found.append(f"{name}: {short(one.before)} → {short(one.after)}")
    return found or ["its code or its data, which the fingerprint names and the request does not"]
