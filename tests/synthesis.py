"""Synthesises environments in this process, once each, for the tests of constructs and stacks."""

from __future__ import annotations

import json
import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sandcastle.config import load_environment
from sandcastle.config.monitoring import LOCAL_ACCOUNT
from sandcastle.synth import context, use_own_node
from sandcastle.template import exports_of, symbols

if TYPE_CHECKING:
    import aws_cdk as cdk

ROOT = Path(__file__).resolve().parent.parent
ENVIRONMENTS = sorted(file.stem for file in (ROOT / "environments").glob("*.yaml"))

Template = dict[str, Any]


@dataclass(frozen=True)
class Synthesis:
    """An environment's construct tree and, by stack name, its templates."""

    environment: str
    app: cdk.App
    folder: Path
    templates: dict[str, Template]

    def template(self, part: str) -> Template:
        """Return the template of ``foundation``, ``guardrails`` or a workload."""
        (name,) = (name for name in self.templates if name.endswith(f"-{part}"))
        return self.templates[name]

    @property
    def workloads(self) -> list[Template]:
        """The templates of all workloads."""
        return [template for name, template in self.templates.items() if "-workload-" in name]

    @property
    def pipelines(self) -> list[Template]:
        """The templates of all workloads with a pipeline."""
        return [template for name, template in self.templates.items() if "-pipeline-" in name]


@cache
def synthesise(environment: str, root: Path = ROOT) -> Synthesis:
    """Return the environment (a name, or the path of a file) as ``python app.py`` would synthesise it for localcloud.

    ``root`` may hold other files than the project.
    """
    use_own_node()
    import aws_cdk as cdk

    from app import build

    folder = Path(tempfile.mkdtemp(prefix="sandcastle-synth-"))
    values = context(ROOT)
    app = cdk.App(
        context=values, outdir=str(folder), analytics_reporting=False, builtin_cloud_formation_validation=False
    )
    loaded = load_environment(environment, root).monitored_by(values, LOCAL_ACCOUNT)
    build(loaded, app)
    app.synth()
    files = sorted(folder.glob("*.template.json"))
    templates = {file.name.removesuffix(".template.json"): json.loads(file.read_text()) for file in files}
    return Synthesis(loaded.name, app, folder, templates)


def resources(template: Template, kind: str) -> dict[str, Any]:
    """Return the template's resources of a type, by logical id; ``kind`` may end with ``*``."""
    if kind.endswith("*"):
        return {key: one for key, one in template["Resources"].items() if one["Type"].startswith(kind[:-1])}
    return {key: one for key, one in template["Resources"].items() if one["Type"] == kind}


def exported(synthesis: Synthesis) -> dict[str, str]:
    """Return what stacks export, by export name, references replaced by symbols."""
    found: dict[str, str] = {}
    in_order = ("-guardrails", "-foundation", "-studio", "-workload-", "-pipeline-")  # in which they import
    for part in in_order:
        for name, template in synthesis.templates.items():
            if part in name:
                found |= exports_of(template, symbols(template, found))
    return found
