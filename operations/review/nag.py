"""``python -m operations.review.nag OUT TEMPLATE...``: what cdk-nag finds in finished templates, as a report.

A process of its own, because it loads CDK. Its rules look at CDK's typed resources: including a template makes some of
everything in it. The places are as in the reports of CDK's own validator, by stack and logical id.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path
from typing import Any

_INSIDE = "/Template/"


def main(out: Path, templates: list[Path]) -> None:
    """Write the report, which is empty without templates."""
    out.write_text(json.dumps({"pluginReports": [{"violations": _violations(templates)}]}), encoding="utf-8")


def _violations(templates: list[Path]) -> list[dict[str, Any]]:
    if not templates:
        return []
    import aws_cdk as cdk
    from aws_cdk.cloudformation_include import CfnInclude
    from cdk_nag import AwsSolutionsChecks

    with tempfile.TemporaryDirectory() as folder:
        app = cdk.App(outdir=folder, builtin_cloud_formation_validation=False)
        for file in templates:
            stack = cdk.Stack(app, file.name.removesuffix(".template.json"))
            CfnInclude(stack, "Template", template_file=str(file))
        return [
            {
                "ruleName": rule.rule_name,
                "description": rule.description,
                "severity": "error",
                "violatingConstructs": [
                    {"constructPath": str(one.construct_path).replace(_INSIDE, "/")} for one in rule.violating_resources
                ],
            }
            for rule in AwsSolutionsChecks(app).validate_scope(app).violations
        ]


if __name__ == "__main__":
    main(Path(sys.argv[1]), [Path(one) for one in sys.argv[2:]])
