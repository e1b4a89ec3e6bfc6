"""Timing of whole processes, and lines that put a figure beside its baseline."""

from __future__ import annotations

import statistics
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def seconds(command: Sequence[str], *, cwd: Path = ROOT, env: Mapping[str, str] | None = None) -> float:
    """Run a command to its end and return its wall time. Raises RuntimeError with its output when it fails."""
    started = time.monotonic()
    done = subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True, check=False)
    took = time.monotonic() - started
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)} ended with {done.returncode}:\n{done.stdout}\n{done.stderr}")
    return took


def pairs(base: Sequence[str], other: Sequence[str], runs: int, env: Mapping[str, str]) -> None:
    """Time two commands in turn after a warm-up of each; print medians and the median of the ratios by pair."""
    seconds(base, env=env)
    seconds(other, env=env)
    times = [(seconds(base, env=env), seconds(other, env=env)) for _ in range(runs)]
    ratios = sorted(second / first for first, second in times)
    line(f"baseline ({runs} runs)", statistics.median(first for first, _ in times))
    line("measured", statistics.median(second for _, second in times))
    print(f"  ratio, median of pairs: {statistics.median(ratios):.2f} (from {ratios[0]:.2f} to {ratios[-1]:.2f})")


def line(what: str, value: float, unit: str = "s", *, base: float | None = None) -> None:
    """Print one figure, with its ratio to a baseline when there is one."""
    ratio = f"   {value / base:6.2f} x baseline" if base else ""
    print(f"  {what:<58} {value:8.2f} {unit}{ratio}", flush=True)
