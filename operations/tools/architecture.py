"""Draws docs/architecture.svg from the synthesised templates: ``python -m operations.tools.architecture``.

The picture is generated, so that it cannot show what is not deployed: one box per stack, in it the resources a
newcomer should know, and an arrow wherever one stack imports from another.
"""

from __future__ import annotations

import argparse
import html
import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from operations.project import ROOT

_WORDS = {
    "AWS::EC2::VPC": ("VPC without NAT", "VPCs without NAT"),
    "AWS::EC2::Subnet": ("isolated subnet", "isolated subnets"),
    "AWS::EC2::VPCEndpoint": ("S3 gateway endpoint", "S3 gateway endpoints"),
    "AWS::S3::Bucket": ("private, encrypted bucket", "private, encrypted buckets"),
    "AWS::SNS::Topic": ("alarm topic", "alarm topics"),
    "AWS::Budgets::Budget": ("monthly budget", "monthly budgets"),
    "AWS::Budgets::BudgetsAction": ("spending limit", "spending limits"),
    "Custom::SandcastleDataset": ("dataset (processing job)", "datasets (processing jobs)"),
    "Custom::SandcastleTrainedModel": ("trained model (training job)", "trained models (training jobs)"),
    "AWS::SageMaker::Model": ("model", "models"),
    "AWS::SageMaker::EndpointConfig": ("endpoint config with capture", "endpoint configs with capture"),
    "AWS::SageMaker::Endpoint": ("endpoint", "endpoints"),
    "AWS::SageMaker::Domain": ("Studio domain", "Studio domains"),
    "AWS::SageMaker::UserProfile": ("user profile", "user profiles"),
    "AWS::SageMaker::StudioLifecycleConfig": ("lifecycle script", "lifecycle scripts"),
    "AWS::SageMaker::NotebookInstance": ("notebook instance", "notebook instances"),
    "AWS::SageMaker::NotebookInstanceLifecycleConfig": ("start script with idle stop", "start scripts with idle stop"),
    "AWS::Scheduler::Schedule": ("schedule", "schedules"),
    "Custom::SandcastleNotebookBefore": ("watch over updates", "watches over updates"),
    "Custom::SandcastleStudioDrain": ("janitor: empties Studio", "janitors: empty Studio"),
    "Custom::SandcastleDomainDelete": ("janitor: deletes the domain", "janitors: delete the domain"),
    "Custom::SandcastleDomainSweep": ("janitor: clears the network", "janitors: clear the network"),
    "Custom::SandcastleNotebookRest": ("janitor: stops the notebook", "janitors: stop notebooks"),
    "Custom::SandcastleNotebookLogs": ("janitor: removes its logs", "janitors: remove their logs"),
    "Custom::SandcastleBucketContents": ("janitor: empties its bucket", "janitors: each empties its bucket"),
    "Custom::SandcastleSpendingRelease": ("janitor: lifts the limit", "janitors: lift the limits"),
    "Custom::SandcastleQuiesce": ("janitor: brings all to rest", "janitors: bring all to rest"),
    "Custom::SandcastleJobLogs": ("janitor: removes run-time logs", "janitors: remove run-time logs"),
    "AWS::Lambda::Function": ("function", "functions"),
    "AWS::StepFunctions::StateMachine": ("state machine that waits for jobs", "state machines that wait for jobs"),
    "AWS::IAM::Role": ("least-privilege role", "least-privilege roles"),
}
"""What a newcomer should see, in the order in which it is shown. Everything else is plumbing."""

TITLE = "What make deploy builds: environment local"
_LINE, _WIDTH, _GAP, _PAD = 22, 350, 70, 16


@dataclass(frozen=True)
class Box:
    """A stack in the picture: its title, its lines, and the stacks that it imports from."""

    name: str
    lines: tuple[str, ...]
    imports: frozenset[str]

    @property
    def height(self) -> int:
        """Height in pixels."""
        return 44 + _LINE * len(self.lines) + _PAD


def boxes(assembly: Path) -> list[Box]:
    """Return a box for each stack of a cloud assembly (a cdk.out folder)."""
    templates = {
        path.name.removesuffix(".template.json"): json.loads(path.read_text(encoding="utf-8"))
        for path in sorted(assembly.glob("*.template.json"))
    }
    exporters = {
        json.dumps(output["Export"]["Name"]): stack
        for stack, template in templates.items()
        for output in template.get("Outputs", {}).values()
        if "Export" in output
    }
    return [_box(stack, template, exporters) for stack, template in templates.items()]


def _box(stack: str, template: dict[str, Any], exporters: dict[str, str]) -> Box:
    kinds = Counter(resource["Type"] for resource in template["Resources"].values())
    lines = tuple(
        f"{kinds[kind]} {many}" if kinds[kind] > 1 else one for kind, (one, many) in _WORDS.items() if kinds[kind]
    )
    imported = {exporters[name] for name in _imports(template) if name in exporters}
    return Box(stack, lines, frozenset(imported))


def _imports(node: Any) -> list[str]:
    """Return the names of all exports that a template imports, as JSON text."""
    if isinstance(node, dict):
        here = [json.dumps(node["Fn::ImportValue"])] if "Fn::ImportValue" in node else []
        return here + [name for value in node.values() for name in _imports(value)]
    return [name for value in node for name in _imports(value)] if isinstance(node, list) else []


def svg(drawn: list[Box], title: str) -> str:
    """Return the picture: stacks that import from nobody on the left, those that build on them on the right."""
    left = [box for box in drawn if not box.imports]
    right = [box for box in drawn if box.imports]
    places: dict[str, tuple[int, int]] = {}
    height = 0
    for column, members in enumerate((left, right)):
        y = 70
        for box in members:
            places[box.name] = (30 + column * (_WIDTH + _GAP), y)
            y += box.height + 24
        height = max(height, y)
    width = 60 + 2 * _WIDTH + _GAP
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}"'
        ' font-family="DejaVu Sans, Helvetica, Arial, sans-serif" font-size="14">',
        '<defs><marker id="tip" markerWidth="10" markerHeight="8" refX="9" refY="4" orient="auto">'
        '<path d="M0,0 L10,4 L0,8 z" fill="#8a6d3b"/></marker></defs>',
        f'<rect width="{width}" height="{height}" fill="#fffdf7"/>',
        f'<text x="30" y="40" font-size="20" font-weight="bold" fill="#3d3222">{html.escape(title)}</text>',
    ]
    parts += [_arrow(places, box, source, drawn) for box in drawn for source in sorted(box.imports)]
    parts += [_drawn(box, *places[box.name]) for box in drawn]
    return "\n".join([*parts, "</svg>", ""])


def _drawn(box: Box, x: int, y: int) -> str:
    rows = "".join(
        f'<text x="{x + _PAD}" y="{y + 56 + _LINE * number}" fill="#3d3222">{html.escape(line)}</text>'
        for number, line in enumerate(box.lines)
    )
    return (
        f'<rect x="{x}" y="{y}" width="{_WIDTH}" height="{box.height}" rx="8" fill="#f6ead0" stroke="#c9a86a"/>'
        f'<rect x="{x}" y="{y}" width="{_WIDTH}" height="32" rx="8" fill="#c9a86a"/>'
        f'<text x="{x + _PAD}" y="{y + 21}" font-weight="bold" fill="#ffffff">{html.escape(box.name)}</text>{rows}'
    )


def _arrow(places: dict[str, tuple[int, int]], box: Box, source: str, drawn: list[Box]) -> str:
    """An arrow from what exports to what imports."""
    from_x, from_y = places[source]
    to_x, to_y = places[box.name]
    start = from_y + next(item.height for item in drawn if item.name == source) // 2
    end = to_y + 16
    beside = from_x == to_x  # one of the right column from another: in the gap on their left
    edge = from_x if beside else from_x + _WIDTH
    middle = edge - _GAP // 2 if beside else edge + _GAP // 2
    return (
        f'<path d="M{edge},{start} C{middle},{start} {middle},{end} {to_x - 3},{end}"'
        ' fill="none" stroke="#8a6d3b" stroke-width="1.5" marker-end="url(#tip)"/>'
    )


def main() -> None:
    """Write the picture of a synthesised environment."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("assembly", nargs="?", type=Path, default=ROOT / "cdk.out")
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "architecture.svg")
    options = parser.parse_args()
    picture = svg(boxes(options.assembly), TITLE)
    options.out.write_text(picture, encoding="utf-8")


if __name__ == "__main__":
    main()
