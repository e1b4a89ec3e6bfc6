"""The ``sandcastle`` command: subcommands in groups, all with the same target, environment and output.

Exit codes: 0 done; 1 it failed, or something billable is left; 2 the command line or the environment file is
wrong and nothing was touched; 130 interrupted, 143 terminated.
"""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Sequence
from dataclasses import asdict
from typing import NoReturn

from operations.commands import (
    cost,
    daily,
    doctor,
    lifecycle,
    models,
    monitor,
    pipelines,
    review,
    traffic,
    tutorials,
    workloads,
)
from operations.commands.common import Handler
from operations.console import Console
from operations.errors import EXIT_FAILED, EXIT_USAGE, OperationError, UsageError
from sandcastle.config import ConfigError

_GOES_ON = "What CloudFormation began goes on in the target; `sandcastle status` shows it."

_GROUPS = {
    "pipeline": "run, watch, list, approve, reject, graph: the pipeline of a workload",
    "monitor": "show, run, report: what the monitors of a workload find",
}
"""Commands of two words, by the first."""


class _Terminated(Exception):
    """SIGTERM came."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    console = Console(as_json="--json" in given)
    try:
        signal.signal(signal.SIGTERM, _terminated)
        options = _parser().parse_args(given)
        handler: Handler = options.handler
        return handler(options, console)
    except ConfigError as error:
        return _failed(console, str(error), EXIT_USAGE, [asdict(problem) for problem in error.problems])
    except OperationError as error:
        return _failed(console, str(error), error.exit_code)
    except _Terminated:
        return _failed(console, f"Terminated. {_GOES_ON}", 143)
    except KeyboardInterrupt:
        return _failed(console, f"Interrupted. {_GOES_ON}", 130)
    except Exception as error:
        # AWS's and botocore's own errors are for people; anything else is a defect of ours and shows where
        if not type(error).__module__.startswith("botocore."):
            raise
        return _failed(console, f"AWS refused: {error}", EXIT_FAILED)


def _terminated(*_: object) -> None:
    raise _Terminated


def _failed(console: Console, message: str, code: int, problems: Sequence[object] = ()) -> int:
    """Say what went wrong, to a person or as the one JSON document of the command."""
    console.error(message)
    console.finish({"error": {"message": message, "exit_code": code, "problems": list(problems)}})
    return code


class _Parser(argparse.ArgumentParser):
    """Reports a wrong command line like every other mistake."""

    def error(self, message: str) -> NoReturn:
        """Raise UsageError with the usage and the reason."""
        raise UsageError(f"{self.format_usage()}{message}")


def _parser() -> argparse.ArgumentParser:
    common = _Parser(add_help=False)
    common.add_argument(
        "--environment", "-e", default="local", help="a name from environments/, or a path to a .yaml file (local)"
    )
    common.add_argument("--target", choices=["local", "aws"], default="local", help="where to work (local)")
    common.add_argument("--region", help="AWS region, if not the environment file's")
    common.add_argument("--json", action="store_true", help="print one JSON document, progress on standard error")
    parser = _Parser(
        prog="sandcastle",
        description="A complete SageMaker environment: deploy it, use it, wash it away.",
        epilog="Exit codes: 0 done; 1 failed, or something billable is left; 2 wrong command or environment file.",
    )
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    groups = {"": commands}

    def group(name: str) -> argparse._SubParsersAction[_Parser]:
        if name not in groups:
            made = commands.add_parser(name, help=_GROUPS[name], description=_GROUPS[name])
            groups[name] = made.add_subparsers(title="commands", required=True, metavar="COMMAND")
        return groups[name]

    def command(name: str, handler: Handler, summary: str) -> argparse.ArgumentParser:
        first, _, word = name.rpartition(" ")
        sub = group(first).add_parser(word, parents=[common], help=summary, description=summary)
        sub.set_defaults(handler=handler)
        return sub

    for module in (doctor, cost, review, lifecycle, daily, workloads, models, tutorials, pipelines, traffic, monitor):
        module.register(command)
    return parser


if __name__ == "__main__":
    sys.exit(main())
