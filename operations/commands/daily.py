"""``extend``, ``sleep``, ``wake`` and ``studio``: what one does with an environment from day to day."""

from __future__ import annotations

import argparse

from operations.commands.common import Register, name_of, target_of
from operations.console import Console
from operations.errors import EXIT_OK


def register(command: Register) -> None:
    """Add the commands of this group."""
    sub = command("extend", _extend, "let an environment live longer before it destroys itself")
    sub.add_argument("by", metavar="TIME", help="how much longer: 90m, 12h, 2d")
    command("sleep", _sleep, "stop now what the nightly schedule stops: notebooks, apps, endpoints")
    command("wake", _wake, "start again what sleep or the night stopped")
    sub = command("studio", _studio, "print a link by which a user enters Studio")
    sub.add_argument("user")


def _extend(options: argparse.Namespace, console: Console) -> int:
    from operations.life import extend

    console.finish(extend(target_of(options, start=False), name_of(options), options.by, console))
    return EXIT_OK


def _sleep(options: argparse.Namespace, console: Console) -> int:
    from operations.rest import night

    console.finish(night(target_of(options, start=False), name_of(options), "stop", console))
    return EXIT_OK


def _wake(options: argparse.Namespace, console: Console) -> int:
    from operations.rest import night

    console.finish(night(target_of(options, start=False), name_of(options), "wake", console))
    return EXIT_OK


def _studio(options: argparse.Namespace, console: Console) -> int:
    from operations.people import enter

    console.finish(enter(target_of(options, start=False), name_of(options), options.user, console))
    return EXIT_OK
