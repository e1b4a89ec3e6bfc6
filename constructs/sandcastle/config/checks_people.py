"""What must hold of Studio, the notebook instance and the times at which things stop, beyond the shape of the file.

Like ``checks`` it reads raw values and skips what is reported already.
"""

from __future__ import annotations

from typing import Any
from zoneinfo import available_timezones

from sandcastle.config import catalogue, durations
from sandcastle.config.catalogue import Use
from sandcastle.config.environment import NOTEBOOK_USER
from sandcastle.config.problem import listed, nearest
from sandcastle.config.yaml_lines import Document, KeyPath


def check_people(document: Document, region: str | None) -> None:
    """Note every mistake of the sections ``studio`` and ``notebook``."""
    _check_users(document)
    least, most = document.at(("studio", "storage_gb")), document.at(("studio", "max_storage_gb"))
    if isinstance(least, int) and isinstance(most, int) and least > most:
        document.problem(("studio", "storage_gb"), "more than max_storage_gb", allowed=f"at most {most}")
    if region is None:
        return
    for index, instance in enumerate(_list(document.at(("studio", "instances")))):
        _check_instance(document, ("studio", "instances", index), "studio", instance, region)
    _check_instance(document, ("notebook", "instance"), "notebook", document.at(("notebook", "instance")), region)


def check_times(document: Document) -> None:
    """Note a life that is too short or too long, time zones that do not exist, and a waking without a sleep."""
    life = document.at(("expires_after",))
    if isinstance(life, str) and life != "never":
        minutes = durations.minutes_of(life)
        if minutes is not None and not durations.is_life(minutes):
            document.problem(("expires_after",), "out of range", allowed=f"{durations.ALLOWED}; or never")
    for section in ("notebook", "nightly_stop"):
        _check_timezone(document, (section, "timezone"))
    wake: KeyPath = ("nightly_stop", "wake")
    if document.at(wake) is not None:
        if document.at(("nightly_stop", "endpoints")) is not True:
            document.problem(wake, "only endpoints are woken", allowed="endpoints: true beside it, or no such key")
        if document.at(wake) == document.at(("nightly_stop", "at")):
            document.problem(wake, "the same time as `at`", allowed="another time")


def _check_users(document: Document) -> None:
    seen: dict[str, int] = {}
    environment = document.at(("workloads",))
    known = sorted(environment) if isinstance(environment, dict) else []
    for index, user in enumerate(_list(document.at(("studio", "users")))):
        path: KeyPath = ("studio", "users", index)
        name = user.get("name") if isinstance(user, dict) else user
        if isinstance(name, str):
            if name in seen:
                document.problem(path, f"{name} is in the list twice", allowed="each name once", show_value=False)
            seen[name] = index
        if name == NOTEBOOK_USER:
            message = "the notebook instance works under this name"
            document.problem(path, message, allowed="any other name", show_value=False)
        for place, workload in enumerate(_list(user.get("workloads") if isinstance(user, dict) else None)):
            if isinstance(workload, str) and workload not in known:
                document.problem(
                    (*path, "workloads", place),
                    f"not a workload of this environment{nearest(workload, known)}",
                    allowed=listed(known) or "none: this environment has no workloads",
                )


def _check_instance(document: Document, path: KeyPath, use: Use, instance: Any, region: str) -> None:
    offered = catalogue.instance_types(use, region)
    if isinstance(instance, str) and offered and instance not in offered:
        kind = {"studio": "Studio", "notebook": "notebooks"}[use]
        document.problem(
            path,
            f"not an instance type for {kind} in {region}{nearest(instance, offered)}",
            allowed=listed(offered, instance),
        )


def _check_timezone(document: Document, path: KeyPath) -> None:
    zone = document.at(path)
    if isinstance(zone, str) and zone not in available_timezones():
        near = nearest(zone, available_timezones())
        document.problem(path, f"not a time zone{near}", allowed="a name of the IANA database, such as Europe/Berlin")


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
