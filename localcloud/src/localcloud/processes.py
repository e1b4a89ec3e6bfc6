"""Looking at processes: is this pid still that process, and what did it start?

A pid alone proves nothing, pids are reused; a pid with its start time names one process for ever.
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Process:
    """One live process: ``started`` is opaque and only compared for equality."""

    pid: int
    parent: int
    group: int
    started: str


def table() -> dict[int, Process]:
    """Every live process of the machine that is not a zombie (Linux: /proc; elsewhere: ps)."""
    proc = Path("/proc")
    if (proc / "self" / "stat").exists():
        found = (_from_proc(entry) for entry in proc.iterdir() if entry.name.isdigit())
    else:
        listing = subprocess.run(
            ["ps", "-A", "-o", "pid=,ppid=,pgid=,stat=,lstart="], capture_output=True, text=True, check=True
        ).stdout
        found = (_from_ps(line) for line in listing.splitlines())
    return {process.pid: process for process in found if process}


def find(pid: int) -> Process | None:
    """The live process with this pid."""
    return table().get(pid)


def descendants(pid: int, processes: dict[int, Process]) -> set[Process]:
    """Everything ``pid`` started, directly or not, and every member of its process group; not itself."""
    found: set[Process] = {p for p in processes.values() if p.group == pid and p.pid != pid}
    frontier = {pid} | {p.pid for p in found}
    while frontier:
        children = {p for p in processes.values() if p.parent in frontier and p.pid != pid} - found
        found |= children
        frontier = {p.pid for p in children}
    return found


def kill(victims: set[Process]) -> None:
    """SIGKILL each one that is still the same process."""
    now = table()
    for victim in victims:
        current = now.get(victim.pid)
        if current and current.started == victim.started:
            try:
                os.kill(victim.pid, signal.SIGKILL)
            except ProcessLookupError:
                continue


def await_end(those: set[Process], seconds: float) -> None:
    """Wait until none of them is left, but no longer than so many seconds: a killed process takes a moment to end."""
    deadline = time.monotonic() + seconds
    started = {process.pid: process.started for process in those}
    while time.monotonic() < deadline:
        now = table()
        if not any(pid in now and now[pid].started == began for pid, began in started.items()):
            return
        time.sleep(0.02)


def _from_proc(entry: Path) -> Process | None:
    try:
        text = (entry / "stat").read_text()
    except OSError:  # it ended meanwhile
        return None
    # the command name is in parentheses and may hold anything, so fields are counted after the last one
    fields = text[text.rindex(")") + 2 :].split()
    if fields[0] in "ZX":
        return None
    return Process(int(entry.name), int(fields[1]), int(fields[2]), fields[19])


def _from_ps(line: str) -> Process | None:
    pid, parent, group, state, started = line.split(None, 4)
    return None if state.startswith("Z") else Process(int(pid), int(parent), int(group), started)
