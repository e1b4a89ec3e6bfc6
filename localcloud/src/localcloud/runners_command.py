"""``localcloud runners``: which environments the runners need, which are there, and making one before it is needed."""

from __future__ import annotations

import argparse
import json
import signal
import sys

from localcloud.jobs import images
from localcloud.jobs.runner_environments import ENVIRONMENTS, RunnerUnavailable, ensure


def add_arguments(command: argparse.ArgumentParser) -> None:
    """What ``localcloud runners`` takes."""
    command.add_argument("images", nargs="*", metavar="IMAGE_URI", help="only what these images need (default: all)")
    command.add_argument("--install", action="store_true", help="make what is missing, with progress on standard error")
    command.add_argument("--json", action="store_true", help="print one JSON document")


def run(arguments: argparse.Namespace) -> int:
    """List, or make and list; exit code 0, 1 when an image is unknown or an environment could not be made, 130, 143."""
    wanted, unknown = _wanted(arguments.images)
    made, failure = [], None
    if arguments.install:
        # no exception at any moment: what was started is ended at the next look
        signals: list[int] = []
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda received, _: signals.append(received))
        try:
            for name in wanted:
                if not ENVIRONMENTS[name].ready:
                    ensure(name, lambda line: print(line, file=sys.stderr), lambda: bool(signals))
                    made.append(name)
        except RunnerUnavailable as error:
            if signals:
                print("localcloud: interrupted; what was downloaded is kept for the next try", file=sys.stderr)
                return 128 + signals[0]
            failure = str(error)
    if arguments.json:
        document = {"environments": [_described(name) for name in wanted], "made": made, "unknown": unknown}
        print(json.dumps(document | ({"failure": failure} if failure else {})))
    else:
        _print(wanted, unknown)
    if failure and not arguments.json:
        print(f"localcloud: {failure}", file=sys.stderr)
    return 1 if failure or unknown else 0


def _wanted(uris: list[str]) -> tuple[list[str], list[str]]:
    """(names of environments, images that have no runner); all environments when no image is named."""
    if not uris:
        return list(ENVIRONMENTS), []
    found, unknown = set(), []
    for uri in uris:
        try:
            found.add(images.resolve(uri).environment)
        except images.UnknownImage:
            unknown.append(uri)
    return [name for name in ENVIRONMENTS if name in found], unknown


def _described(name: str) -> dict[str, object]:
    environment = ENVIRONMENTS[name]
    return {
        "name": name,
        "ready": environment.ready,
        "folder": str(environment.folder),
        "size": environment.size,
        "images": images.repositories(name),
    }


def _print(wanted: list[str], unknown: list[str]) -> None:
    for name in wanted:
        environment = ENVIRONMENTS[name]
        state = "ready" if environment.ready else f"missing, made at first use ({environment.size})"
        for title, text in (
            (name, state),
            ("", f"runs {', '.join(images.repositories(name))}"),
            ("", environment.folder),
        ):
            print(f"{title:10} {text}")
    for uri in unknown:
        print(f"no runner for {uri}; known: {', '.join(images.known_patterns())}")
