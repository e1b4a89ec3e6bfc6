"""The review for machines: ``review.json``, as ``review.schema.json`` beside this file describes it."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from operations.review.change import Change, Concern
from operations.review.findings import Finding
from operations.review.review import Review
from operations.review.telling import LIMITS, headline

VERSION = "1.0"
"""The schema's: the first number changes when what was there means something else, the second when there is more."""


def document(review: Review) -> dict[str, Any]:
    """Return the review as plain JSON values."""
    gate = review.gate
    return {
        "version": VERSION,
        "base": review.names[0],
        "head": review.names[1],
        "verdict": gate.verdict,
        "headline": headline(review),
        "stacks": list(review.stacks),
        "blockers": [_concern(one) for one in gate.blocked],
        "approved": [
            {**_concern(one), "reason": given.reason, "expires": given.expires.isoformat()}
            for one, given in gate.approved
        ],
        "notes": [_concern(one) for one in gate.noted],
        "changes": [_change(one) for one in review.changes.values()],
        "runs_again": [{**asdict(one), "why": list(one.why)} for one in review.reruns],
        "network": [asdict(one) for one in review.network],
        "findings": {
            "new": [_finding(one) for one in review.findings.new],
            "fixed": [_finding(one) for one in review.findings.fixed],
            "acknowledged": [_finding(one) for one in review.findings.acknowledged],
            "read": list(review.findings.read),
        },
        "teardown": {
            "also_removes": list(review.teardown.also_removes),
            "removes_no_more": list(review.teardown.removes_no_more),
        },
        "access": [{**asdict(one), "marks": sorted(one.marks)} for one in review.access],
        "cost": review.cost.document(),
        "limits": LIMITS,
    }


def _concern(one: Concern) -> dict[str, Any]:
    found = {"rule": one.rule, "stack": one.stack, "path": one.path, "words": one.words}
    return {**found, "source": one.source} if one.source else found


def _change(one: Change) -> dict[str, Any]:
    return {
        "stack": one.stack,
        "logical_id": one.logical_id,
        "path": one.path,
        "type": one.type,
        "act": str(one.act),
        "properties": [{"path": each.path, "before": each.before, "after": each.after} for each in one.properties],
        "forced_by": list(one.forced_by),
        "because": list(one.because),
        "policies": {name: {"before": old, "after": new} for name, (old, new) in one.policies.items()},
        "notes": list(one.notes),
        "moved_from": "/".join(one.moved_from) if one.moved_from else None,
        "data": {"fate": one.fate.kind, "words": one.fate.words, "minor": one.fate.minor} if one.fate else None,
        "downtime": one.downtime,
        "source": one.source,
    }


def _finding(one: Finding) -> dict[str, Any]:
    found = {"rule": one.rule, "place": one.place, "words": one.words, "severity": one.severity}
    return {**found, **({"reason": one.reason} if one.reason else {})}
