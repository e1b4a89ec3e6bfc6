"""``make benchmark``: every figure the README quotes, each beside a baseline measured in the same run.

Absolute seconds drift with the machine; read the ratios. Nothing here passes or fails.
"""

from __future__ import annotations

import argparse

from tests.benchmarks import access, lifecycle, monitoring, pipelines, review, serving, synth


def main() -> None:
    """Run the benchmarks one after the other; each prints its own lines as soon as it has them."""
    parser = argparse.ArgumentParser(prog="make benchmark", description=__doc__)
    parser.add_argument("--pairs", type=int, default=5, help="counted runs of each synth (5)")
    parser.add_argument("--without-clone", action="store_true", help="leave out the install in an empty clone")
    options = parser.parse_args()
    synth.run(options.pairs)
    pipelines.run()
    access.run()
    serving.run()
    monitoring.run()
    review.run(options.pairs)
    lifecycle.run()
    if not options.without_clone:
        lifecycle.run_in_empty_clone()


if __name__ == "__main__":
    main()
