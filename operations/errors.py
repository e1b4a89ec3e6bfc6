"""Errors that the command shows to a person, with the exit code each one means."""

from __future__ import annotations

EXIT_OK = 0
"""Everything asked for was done."""
EXIT_FAILED = 1
"""Something failed, or an audit found that something billable is left."""
EXIT_USAGE = 2
"""The command line or an environment file is wrong; nothing was touched."""


class OperationError(Exception):
    """Something a person must read: what happened, and what to do about it."""

    exit_code = EXIT_FAILED


class UsageError(OperationError):
    """The request itself is wrong; nothing was done."""

    exit_code = EXIT_USAGE
