"""What ``sandcastle doctor`` found out about an account, as far as synth repeats it: read from committed context.

The context key is ``sandcastle:account=<id>:region=<region>``, as CDK's own lookups name theirs. Synth asks nobody, so
that the same files always give the same templates; an account that is not written down is simply not known.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def context_key(account: str, region: str) -> str:
    """Return the key under which the doctor remembers an account and region."""
    return f"sandcastle:account={account}:region={region}"


def doctor_notes(values: Mapping[str, Any], account: str | None, region: str | None) -> list[str]:
    """Return what a person should know before deploying there, with the date on which it was so."""
    known = values.get(context_key(account, region)) if account and region else None
    if not isinstance(known, Mapping):
        return []
    low = known.get("quotas")
    when = known.get("date", "no date")
    return [
        f"quota {name} is {value:g} (doctor, {when})"
        for name, value in (low if isinstance(low, Mapping) else {}).items()
    ]
