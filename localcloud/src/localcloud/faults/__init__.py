"""Faults on demand: rules that throttle, fail or delay API calls, kill functions, and act as a person would.

Start reading at ``rules`` (what a rule says and when it applies); ``gate`` stands in the way of every HTTP call,
``replies`` has the refusals of each protocol, ``doom`` knows which functions are to die.
"""

from __future__ import annotations


def install() -> None:
    """Add ``/_localcloud/faults`` and put the function faults into MiniStack's workers."""
    from localcloud import admin
    from localcloud.adapter import function_faults
    from localcloud.faults.doom import default_doom
    from localcloud.faults.rules import default_rules

    def write(request: dict[str, object]) -> None:
        default_rules().load(request)

    admin.register("faults", write, default_rules().snapshot)
    function_faults.install(default_doom())
