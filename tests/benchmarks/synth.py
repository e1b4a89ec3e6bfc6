"""What ``python app.py`` costs, against an empty CDK app with the same Node and the same flags."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from tests.benchmarks.measure import ROOT, pairs

_EMPTY = """
import aws_cdk as cdk
cdk.App(analytics_reporting=False, builtin_cloud_formation_validation=False).synth()
"""


def run(runs: int) -> None:
    """Print the figures of the default environment."""
    print("synth: python app.py (environment local) against an empty app, same Node, validation off in both")
    with tempfile.TemporaryDirectory() as folder:
        empty = Path(folder) / "empty.py"
        empty.write_text(_EMPTY, encoding="utf-8")
        env = {
            **os.environ,
            "PATH": f"{ROOT / '.venv' / 'bin'}:{os.environ['PATH']}",
            "CDK_OUTDIR": str(Path(folder) / "out"),
        }
        python = str(ROOT / ".venv" / "bin" / "python")
        pairs([python, str(empty)], [python, "app.py"], runs, env)
