"""Stacks as wholes: split, removed, protected, and what they tell each other."""

from __future__ import annotations

from tests.operations.review.corpus.pair import Pair, Templates
from tests.operations.review.corpus.world import BASE, GUARD, STUDIO, WORK, bucket, emptied


def _own_bucket(templates: Templates) -> None:
    templates[WORK]["Resources"] |= {"Own": bucket(), "OwnContents": emptied("Own")}


def _split(templates: Templates) -> None:
    found = templates[WORK]["Resources"]
    templates["demo-second"] = {"Resources": {name: found.pop(name) for name in ("Own", "OwnContents")}}


def _split_stateless(templates: Templates) -> None:
    templates["demo-second"] = {"Resources": {"Topic": templates[GUARD]["Resources"].pop("Topic")}}


def _stack_removed(templates: Templates) -> None:
    del templates[STUDIO]


def _output_removed(templates: Templates) -> None:
    del templates[BASE]["Outputs"]["DataBucket"]


def _export_removed(templates: Templates) -> None:
    del templates[BASE]["Outputs"]["ExportVpc"]
    templates[STUDIO]["Resources"]["Domain"]["Properties"]["VpcId"] = "vpc-1"


def _export_of_nobody(templates: Templates) -> None:
    templates[BASE]["Outputs"]["More"] = {"Value": {"Ref": "Subnet"}, "Export": {"Name": "demo:subnet"}}


def _export_of_nobody_removed(templates: Templates) -> None:
    del templates[BASE]["Outputs"]["More"]


def _new_stack(templates: Templates) -> None:
    templates["demo-second"] = {"Resources": {"Own": bucket(), "OwnContents": emptied("Own")}}


PAIRS = (
    Pair(
        "stack split",
        _split,
        "blocked",
        frozenset({"data-lost Own"}),
        {"demo-second/Own": "moved"},
        base=_own_bucket,
        says=("demo-workload/Own",),
    ),
    Pair("stack split, nothing to lose", _split_stateless, "clean", acts={"demo-second/Topic": "moved"}, only=True),
    Pair("stack removed", _stack_removed, "look", says=("in the code no more",)),
    Pair("stack added", _new_stack, "clean", acts={"demo-second/Own": "create"}),
    Pair("output removed", _output_removed, "look", only=True, says=("DataBucket",)),
    Pair(
        "export removed that another stack imports",
        _export_removed,
        "blocked",
        frozenset({"deploy-fails", "data-lost Domain", "data-lost Profile"}),
    ),
    Pair("export removed that nobody imports", _export_of_nobody_removed, "clean", base=_export_of_nobody, only=True),
)
