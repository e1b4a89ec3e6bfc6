"""A stack of its own for one construct, synthesised to its template."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from sandcastle.config import load_environment
from sandcastle.synth import context, use_own_node
from tests.synthesis import ROOT, Template

if TYPE_CHECKING:
    from sandcastle.resource import EnvironmentStack


def template_of(build: Callable[[EnvironmentStack], Any]) -> Template:
    """Return the template of a stack in which ``build`` made something."""
    use_own_node()
    import aws_cdk as cdk

    from sandcastle.resource import EnvironmentStack

    folder = tempfile.mkdtemp(prefix="sandcastle-construct-")
    app = cdk.App(context=context(ROOT), outdir=folder, analytics_reporting=False)
    build(EnvironmentStack(app, "one", environment=load_environment("local", ROOT), description="one construct"))
    (artifact,) = app.synth().stacks
    template: Template = artifact.template
    return template
