"""What a review of two full environments costs after synth, with ``cdk diff`` on the same stacks beside it."""

from __future__ import annotations

import json
import os
import resource
import statistics
import tempfile
from pathlib import Path

from tests.benchmarks.measure import ROOT, line, seconds

_BIN = ROOT / ".venv" / "bin"
_CDK = ROOT / "node_modules" / ".bin" / "cdk"
_FILE = ROOT / "environments" / "everything.yaml"
_CHANGES = {
    "users: [ada]": "users: [ada, bob]",
    "  bank:\n    endpoint: {capture_percent: 100}": "  bank:\n    endpoint: {instance: ml.m5.xlarge}",
    "monthly_budget_usd: 500": "monthly_budget_usd: 600",
}
"""What HEAD has other than BASE: a user, a larger endpoint that keeps nothing of what it is asked, a larger budget."""


def run(runs: int) -> None:
    """Print both, by the clock and in seconds of a processor. Reviews are whole processes, Python's start included."""
    print("review: environment everything against itself with a user more, a larger endpoint and no capture")
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        text = _FILE.read_text(encoding="utf-8")
        for old, new in _CHANGES.items():
            if old not in text:
                raise ValueError(f"{_FILE} has no {old!r} any more")
            text = text.replace(old, new)
        (folder / "everything.yaml").write_text(text, encoding="utf-8")
        base, head = _synthesised(_FILE, folder / "base"), _synthesised(folder / "everything.yaml", folder / "head")
        stacks = sorted(file.name.removesuffix(".template.json") for file in head.glob("*.template.json"))
        used = _processor()
        line(f"cdk diff, {len(stacks)} stacks one by one", sum(_cdk_diff(base, head, one) for one in stacks))
        line("  of a processor", (diffed := _processor() - used))
        review = [str(_BIN / "python"), "-c", _REVIEW, str(base), str(head), str(folder / "out")]
        seconds(review)
        used = _processor()
        line(f"sandcastle review ({runs} runs)", statistics.median(seconds(review) for _ in range(runs)))
        line("  of a processor, one run", (_processor() - used) / runs, base=diffed)


_REVIEW = (
    "import sys; from operations.cli import main; "
    "sys.exit({0: 0, 2: 0}.get(main(['review', *sys.argv[1:3], '--out', sys.argv[3]]), 1))"
)
"""Runs the command; that something needs approval is no failure here."""


def _processor() -> float:
    """Return the seconds of a processor that ended processes of this one have used."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _synthesised(file: Path, folder: Path) -> Path:
    context = json.loads((ROOT / "cdk.json").read_text(encoding="utf-8"))["context"]
    settings = {"CDK_OUTDIR": str(folder), "CDK_CONTEXT_JSON": json.dumps({**context, "environment": str(file)})}
    seconds([str(_BIN / "python"), "app.py"], env={**os.environ, **settings})
    return folder


def _cdk_diff(base: Path, head: Path, stack: str) -> float:
    """Return how long one stack takes: the command compares one template with one stack at a time."""
    template = base / f"{stack}.template.json"
    command = [str(_CDK), "diff", "--app", str(head), "--template", str(template), "--exclusively", stack]
    path = f"{_BIN}:{os.environ['PATH']}"
    return seconds(command, env={**os.environ, "PATH": path, "CDK_DISABLE_VERSION_CHECK": "1"})
