"""The composition root: an environment file in, CloudFormation templates out.

``cdk deploy --all -c environment=NAME`` runs this; NAME is a file in ``environments/``, ``local`` if not given.
Run by hand as ``python app.py``, it writes the templates to ``cdk.out``.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sandcastle.config import ConfigError, Environment, doctor_notes, load_environment, no_region
from sandcastle.synth import context, flag, short_lived, use_own_node

if TYPE_CHECKING:
    import aws_cdk as cdk

ROOT = Path(__file__).resolve().parent


def build(environment: Environment, app: cdk.App) -> None:
    """Add the environment's stacks to the app, each after those that it depends on."""
    from stacks.foundation import Foundation
    from stacks.guardrails import Guardrails
    from stacks.notebook import NotebookStack
    from stacks.pipeline import PipelineStack
    from stacks.studio import StudioStack
    from stacks.teardown import Teardown
    from stacks.workload import WorkloadStack

    guardrails = Guardrails(app, environment=environment)
    foundation = Foundation(app, environment=environment, guardrails=guardrails)
    shared: Any = {"environment": environment, "foundation": foundation, "guardrails": guardrails}
    studio = StudioStack(app, studio=environment.studio, **shared) if environment.studio else None
    workloads = [
        PipelineStack(app, workload=one, pipeline=one.pipeline, **shared)
        if one.pipeline
        else WorkloadStack(app, workload=one, **shared)
        for one in environment.workloads
    ]
    notebook = NotebookStack(app, notebook=environment.notebook, **shared) if environment.notebook else None
    others = [foundation, *(one for one in (studio, notebook) if one)]
    top: Any = {"studio": studio, "workloads": workloads, "others": others}
    Teardown(app, environment=environment, guardrails=guardrails, **top)


def main() -> int:
    """Synthesise; 2 when the environment file is wrong, which is said before anything slow is loaded."""
    values = context(ROOT)
    try:
        region = os.environ.get("CDK_DEFAULT_REGION")
        environment = load_environment(str(values.get("environment", "local")), ROOT, region)
        if environment.region is None:
            raise no_region(environment)
        environment = environment.monitored_by(values, os.environ.get("CDK_DEFAULT_ACCOUNT"))
    except ConfigError as error:
        print(error, file=sys.stderr)
        return 2
    for note in (*environment.notes, *doctor_notes(values, os.environ.get("CDK_DEFAULT_ACCOUNT"), environment.region)):
        print(f"note: {note}", file=sys.stderr)
    short_lived()
    use_own_node()
    import aws_cdk as cdk

    outdir = os.environ.get("CDK_OUTDIR", str(ROOT / "cdk.out"))
    validate = flag(values, "validate")
    app = cdk.App(context=values, outdir=outdir, analytics_reporting=False, builtin_cloud_formation_validation=validate)
    if flag(values, "sources"):  # a review asks where things are made, and which findings are known
        from sandcastle.sources import synthesise_with_sources

        synthesise_with_sources(app, lambda: build(environment, app), ROOT, Path(outdir))
    else:
        build(environment, app)
        app.synth()
    short_lived()
    return 0


if __name__ == "__main__":
    sys.exit(main())
