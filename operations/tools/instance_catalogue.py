"""Makes ``constructs/sandcastle/instance_types.json``: the instance types per use and region.

``python -m operations.tools.instance_catalogue`` rewrites it from two offline sources:

* processing and hosting: cfn-lint's enumerations per region, which its authors generate from AWS's price lists;
* training, notebook, studio: botocore's enumeration of all types, cut to those that the region offers for
  processing, hosting or clusters, because no offline source lists these per region. A type that a region offers for
  training alone is missing from the result, and one that it offers for everything but training is in it.
"""

from __future__ import annotations

import json
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

TARGET = Path(__file__).resolve().parents[2] / "constructs" / "sandcastle" / "instance_types.json"

_SHAPES = {"processing": "ProcessingInstanceType", "hosting": "ProductionVariantInstanceType"}
_DERIVED = {"training": "TrainingInstanceType", "notebook": "InstanceType", "studio": "AppInstanceType"}


def known_to_botocore(shape: str) -> set[str]:
    """Return the values of one of SageMaker's enumerations."""
    from botocore.model import StringShape
    from botocore.session import Session

    found = Session().get_service_model("sagemaker").shape_for(shape)
    assert isinstance(found, StringShape)  # noqa: S101  # an enumeration of names is text
    return set(found.enum)


def per_region(use: str) -> dict[str, set[str]]:
    """Return region to instance types, as cfn-lint knows it, for processing, hosting or cluster."""
    import cfnlint

    folder = Path(cfnlint.__file__).parent / "data" / "schemas" / "extensions" / f"aws_sagemaker_{use}"
    content = json.loads((folder / "instancetype_enum.json").read_text(encoding="utf-8"))
    return {region: set(entry["enum"]) for region, entry in content.items() if region != "description"}


def build() -> dict[str, Any]:
    """Return the whole file's content; types without their ``ml.``, in one text per region to keep it small."""
    import cfnlint

    tables = {use: per_region(use) for use in ("processing", "hosting", "cluster")}
    uses: dict[str, dict[str, set[str]]] = {}
    for use, shape in _SHAPES.items():
        known = known_to_botocore(shape)
        uses[use] = {region: known & types for region, types in tables[use].items()}
    offered = {
        region: set().union(*(table.get(region, set()) for table in tables.values()))
        for region in sorted(set().union(*tables.values()))
    }
    for use, shape in _DERIVED.items():
        known = known_to_botocore(shape)
        uses[use] = {region: known & types for region, types in offered.items()}
    data = Path(cfnlint.__file__).parent / "data" / "schemas" / "version.json"
    return {
        "date": json.loads(data.read_text(encoding="utf-8"))["schema_date"],
        "source": f"cfn-lint {version('cfn-lint')}, extensions/aws_sagemaker_*; botocore {version('botocore')}",
        **dict.fromkeys(
            _DERIVED, "derived: botocore's types of this use that the region offers for processing, hosting or clusters"
        ),
        "uses": {use: {region: _packed(types) for region, types in table.items()} for use, table in uses.items()},
    }


def _packed(types: set[str]) -> str:
    return " ".join(sorted(name.removeprefix("ml.") for name in types))


def main() -> int:
    """Write the file and say what it holds."""
    content = build()
    TARGET.write_text(json.dumps(content, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    print(f"{TARGET.name}: " + ", ".join(f"{use} in {len(table)} regions" for use, table in content["uses"].items()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
