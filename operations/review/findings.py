"""What linters found in an assembly, and what the change does to that: new, fixed, acknowledged.

Read are CDK's ``validation-report.json`` (its own validator and packs like cdk-nag), ``cfn-lint.json`` (what
``cfn-lint --format json`` printed, put into the folder), and the acknowledgements in the stacks' metadata.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from operations.errors import UsageError
from operations.review.assembly import Assembly
from operations.review.change import Concern
from operations.review.values import listed

REPORT = "validation-report.json"
LINT = "cfn-lint.json"
NAG = "cdk-nag.json"
"""Reports beside the templates, each by whoever made it."""

REASONS = "acknowledgements.json"
"""What the app writes beside the templates when it is asked for sources: rules that do not count, and why."""


@dataclass(frozen=True)
class Finding:
    """What a rule found: two are the same when rule and construct are. ``reason`` acknowledges it."""

    rule: str
    place: str
    words: str
    severity: str
    fix: str = ""
    reason: str = ""

    @property
    def key(self) -> tuple[str, str]:
        """What it is known by."""
        return self.rule, self.place


@dataclass(frozen=True)
class Findings:
    """The difference between two assemblies."""

    new: tuple[Finding, ...] = ()
    fixed: tuple[Finding, ...] = ()
    acknowledged: tuple[Finding, ...] = ()
    """New ones for which the code gives a reason."""
    read: tuple[str, ...] = ()
    """The reports that both folders have."""


def compare(base: Assembly, head: Assembly) -> Findings:
    """Return what the linters found that is new, fixed or newly acknowledged."""
    read = tuple(name for name in (REPORT, LINT, NAG) if all((one.folder / name).exists() for one in (base, head)))
    before = {one.key: one for one in findings(base, read)}
    after = {one.key: one for one in findings(head, read)}
    come = [after[key] for key in sorted(after.keys() - before.keys())]
    gone = [before[key] for key in sorted(before.keys() - after.keys())]
    return Findings(
        tuple(one for one in come if not one.reason),
        tuple(one for one in gone if not one.reason),
        tuple(one for one in come if one.reason),
        read,
    )


def finding_concerns(found: Findings) -> Iterator[Concern]:
    """Yield the new findings; errors block."""
    for one in found.new:
        stack, _, path = one.place.partition("/")
        yield Concern("finding", stack, path, f"{one.rule}: {one.words}", blocks=one.severity in ("error", "fatal"))


def findings(assembly: Assembly, reports: tuple[str, ...] = (REPORT, LINT, NAG)) -> list[Finding]:
    """Return everything that the reports of an assembly say; what is not there says nothing."""
    found = []
    reasons = dict(_acknowledged(assembly))
    for name in reports:
        file = assembly.folder / name
        if file.exists():
            document = _read(file)
            made = _linted(document, assembly) if name == LINT else _validated(document, assembly)
            found += [_with_reason(one, reasons) for one in made]
    return found


def _with_reason(one: Finding, reasons: Mapping[tuple[str, str], str]) -> Finding:
    reason = one.reason or reasons.get(one.key, "")
    return Finding(one.rule, one.place, one.words, one.severity, one.fix, reason)


def _validated(document: Any, assembly: Assembly) -> Iterator[Finding]:
    files = {one.file: name for name, one in assembly.stacks.items()}
    reports = document.get("pluginReports") if isinstance(document, Mapping) else None
    for report in _mappings(reports):
        for violation in _mappings(report.get("violations")):
            rule = str(violation.get("ruleName", "?"))
            for one in _mappings(violation.get("violatingConstructs")):
                stack, _, name = str(one.get("constructPath", "?")).removesuffix("/Resource").partition("/")
                stack = files.get(f"{stack}.template.json", stack)
                paths = assembly.stacks[stack].paths if stack in assembly.stacks else {}
                place = f"{stack}/{paths.get(name, name)}"
                words, fix = str(violation.get("description", "")), str(violation.get("suggestedFix", ""))
                severity = str(violation.get("severity", "warning")).lower()
                yield Finding(rule, place, words, severity, fix, str(one.get("reason", "")))


def _linted(document: Any, assembly: Assembly) -> Iterator[Finding]:
    stacks = {one.file: name for name, one in assembly.stacks.items()}
    for one in _mappings(document):
        rule, at = one.get("Rule"), one.get("Location")
        path = at.get("Path") if isinstance(at, Mapping) else None
        stack = stacks.get(Path(str(one.get("Filename", ""))).name)
        if isinstance(rule, Mapping) and isinstance(path, list) and stack:
            logical_id = str(path[1]) if len(path) > 1 else ""
            place = f"{stack}/{assembly.stacks[stack].paths.get(logical_id, logical_id)}"
            level = {"Error": "error", "Warning": "warning"}.get(str(one.get("Level")), "note")
            yield Finding(str(rule.get("Id", "?")), place, str(one.get("Message", "")), level)


def _acknowledged(assembly: Assembly) -> Iterator[tuple[tuple[str, str], str]]:
    """Yield reasons by rule and construct: of the app's own file, and of the metadata of its stacks."""
    file = assembly.folder / REASONS
    for one in _mappings(_read(file)) if file.exists() else ():
        stack, name = str(one.get("stack")), str(one.get("logical_id"))
        paths = assembly.stacks[stack].paths if stack in assembly.stacks else {}
        yield (str(one.get("rule")), f"{stack}/{paths.get(name, name)}"), str(one.get("reason", ""))
    for file in sorted(assembly.folder.glob("*.metadata.json")):
        document = _read(file)
        for path, entries in document.items() if isinstance(document, Mapping) else ():
            for entry in _mappings(entries):
                data = entry.get("data")
                if entry.get("type") == "aws:cdk:acknowledged-rules" and isinstance(data, Mapping):
                    for rule, reason in data.items():
                        yield (str(rule).rpartition("::")[2], path.strip("/").removesuffix("/Resource")), str(reason)


def _mappings(value: Any) -> list[Mapping[str, Any]]:
    return [one for one in listed(value) if isinstance(one, Mapping)]


def _read(file: Path) -> Any:
    try:
        return json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise UsageError(f"{file} cannot be read: {error}") from None
