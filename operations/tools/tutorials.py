"""Runs tutorials in a deployed environment and writes them back, outputs and all, as they are committed.

    python -m operations.tools.tutorials bank mnist-linear --environment local

The environment must hold the workloads, on localcloud. See docs/tutorials.md.
"""

from __future__ import annotations

import argparse
import os
import sys

from operations import target as targets
from operations.notebook_page import tidied, written
from operations.project import display
from operations.tutorial import execute, notebook_of, settings_of


def main() -> None:
    """Run each notebook that is named."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("workloads", nargs="+")
    parser.add_argument("--environment", "-e", default="local")
    options = parser.parse_args()
    target = targets.local("us-east-1", start=False)
    settings = settings_of(target, options.environment)
    for workload in options.workloads:
        results = execute(workload, settings, {**os.environ, **target.settings})
        path = notebook_of(workload)
        path.write_text(written(tidied(results.notebook)), encoding="utf-8")
        print(f"{display(path)}: {results.values}", file=sys.stderr)


if __name__ == "__main__":
    main()
