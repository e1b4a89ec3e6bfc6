"""Loads an environment: reads its file and its workloads', checks everything, merges, or reports every mistake."""

from __future__ import annotations

import os.path
import re
from pathlib import Path
from typing import TypeVar

from pydantic import ValidationError

from sandcastle.config import checks, checks_evaluate, checks_people, checks_serving
from sandcastle.config.base import Model
from sandcastle.config.budget_check import check_budget
from sandcastle.config.checks_monitors import check_engine, check_monitors
from sandcastle.config.checks_pipeline import check_pipeline
from sandcastle.config.checks_training import check_training
from sandcastle.config.checks_tuning import check_tuning
from sandcastle.config.durations import minutes_of
from sandcastle.config.environment import (
    Environment,
    Evaluate,
    NightlyStop,
    Notebook,
    PipelineSettings,
    Prepare,
    Studio,
    User,
    Workload,
)
from sandcastle.config.merge_training import merge_train
from sandcastle.config.models import (
    LATER,
    EnvironmentFile,
    NightlyStopSpec,
    NotebookSpec,
    StudioSpec,
    WorkloadOverride,
)
from sandcastle.config.monitoring import Monitor, expression_of
from sandcastle.config.problem import ConfigError, Problem, nearest
from sandcastle.config.serving import served
from sandcastle.config.shape import note_shape_errors
from sandcastle.config.workload import THRESHOLD, EvaluateSpec, WorkloadFile
from sandcastle.config.yaml_lines import MOST_BYTES, Document, read_yaml

_File = TypeVar("_File", bound=Model)

_REGION_LINE = re.compile(r"^region:[ \t]+([\"']?)([a-z]+(?:-[a-z0-9]+)+)\1[ \t]*(?:[ \t]#.*)?\r?$", re.MULTILINE)


def load_environment(name: str, root: Path, default_region: str | None = None) -> Environment:
    """Return an environment, checked and merged with its workloads.

    ``name`` stands for ``environments/<name>.yaml`` under ``root``; one that ends in ``.yaml`` is the path of a file.
    ``default_region`` counts when the file names none; without either, what depends on a region is not checked.
    Raises ConfigError with every mistake of the environment file and of the workload files it uses.
    """
    path = environment_path(name, root)
    document = _read(path, root, name)
    file = _shape(document, EnvironmentFile)
    checks.check_file_name(document, path.stem)
    region = document.at(("region",)) or default_region
    known_region = checks.known_region(document, region)
    pairs, workloads = _workloads(document, root)
    for pair in pairs:
        if isinstance(document.at(("name",)), str):
            checks.check_names(pair, document.at(("name",)))
        checks.check_prepare_limit(pair)
        check_training(pair)
        check_tuning(pair)
        checks_serving.check_serving(pair, root)
        check_pipeline(pair, document.at(("name",)))
        check_monitors(pair)
        checks.check_images(pair, known_region)
        checks_evaluate.check_evaluate(pair.workload)
        if known_region:
            checks.check_instances(pair, known_region)
            checks_serving.check_hosting(pair, known_region)
    check_engine(document, pairs, known_region)
    checks_people.check_people(document, known_region)
    checks_people.check_times(document)
    notes = check_budget(document, pairs, known_region) if known_region else []
    problems = document.problems + [problem for pair in pairs for problem in pair.workload.problems]
    if problems or file is None:
        raise ConfigError(problems)
    merged = tuple(
        _merge(root, workload, workloads[workload], override, file, region)
        for workload, override in sorted(file.workloads.items())
    )
    environment = Environment(
        name=file.name,
        file=path,
        root=root,
        region=region,
        monthly_budget_usd=file.monthly_budget_usd,
        notify=tuple(file.notify),
        data=file.data,
        workloads=merged,
        expires_after_minutes=minutes_of(file.expires_after),
        nightly_stop=_nightly_stop(file.nightly_stop),
        studio=_studio(file.studio, tuple(sorted(file.workloads))),
        notebook=_notebook(file.notebook),
        notes=tuple(notes),
        monitoring=file.monitoring.engine,
        monitoring_rows=file.monitoring.rows,
    )
    return environment.monitored_by({}, None)


def environment_path(name: str, root: Path) -> Path:
    """Return the file that an environment's name stands for; a name that ends in ``.yaml`` is a path already."""
    return Path(name).absolute() if name.endswith(".yaml") else root / "environments" / f"{name}.yaml"


def written_region(name: str, root: Path) -> str | None:
    """Return the region as the environment's file says it, whatever else is wrong with the file.

    None when there is no file, or its region cannot be read, is not text, or is written more than once. Where the
    file is not YAML, a line ``region: ...`` of its own still counts, so that no slip elsewhere moves a destroy.
    """
    path = environment_path(name, root)
    try:
        document = read_yaml(path, "")
        if document.value is None:
            with path.open("rb") as file:
                content = file.read(MOST_BYTES)
            found = _REGION_LINE.findall(content.decode("utf-8-sig", "replace"))
            return found[0][1] if len(found) == 1 else None
    except (OSError, ValueError):
        return None
    region = document.at(("region",))
    unclear = any(problem.key == "region" for problem in document.problems)
    return region if isinstance(region, str) and region and not unclear else None


def no_region(environment: Environment) -> ConfigError:
    """Return the mistake of an environment that says no region when nothing else does either."""
    file = _shown(environment.file, environment.root)
    message = "no region is written here, and the command line has no default region"
    return ConfigError([Problem(file, 1, "region", message, None, "an AWS region, such as us-east-1")])


def workload_names(root: Path) -> list[str]:
    """Return the workloads that exist: folders of ``assets/workloads`` with a workload.yaml."""
    return sorted(file.parent.name for file in (root / "assets" / "workloads").glob("*/workload.yaml"))


def _shown(path: Path, root: Path) -> str:
    """Return the path as a person in the project's folder would type it."""
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else str(path)


def _read(path: Path, root: Path, name: str = "") -> Document:
    shown = _shown(path, root)
    try:
        return read_yaml(path, shown)
    except FileNotFoundError:
        raise ConfigError([_missing(path, shown, root, name)]) from None
    except (OSError, ValueError) as error:  # ValueError: a name with a null character
        raise ConfigError([Problem(shown, 1, "", f"cannot be read: {error}")]) from None


def _missing(path: Path, shown: str, root: Path, name: str) -> Problem:
    """Return the mistake of a file that is not there; only where environments belong do others have allowed names."""
    folder = root / "environments"
    names = sorted(file.stem for file in folder.glob("*.yaml") if not file.name.startswith("."))
    if os.path.normpath(path.parent) == os.path.normpath(folder.absolute()):
        message = f"there is no such environment{nearest(path.stem, names)}"
        return Problem(shown, 1, "", message, None, ", ".join(names) or "none yet")
    meant = nearest(path.stem, names) if name == path.name else ""  # a bare local.yaml, where local was meant
    return Problem(shown, 1, "", f"there is no such file{meant}")


def _shape(document: Document, model: type[_File]) -> _File | None:
    """Validate the document's shape; None when it is wrong, with the reasons noted in the document."""
    if document.value is None and document.problems:
        return None  # not YAML: there is nothing more to say about it
    try:
        return model.model_validate(document.value)
    except ValidationError as error:
        note_shape_errors(document, model, error.errors(include_url=False), LATER)
        return None


def _workloads(document: Document, root: Path) -> tuple[list[checks.Pair], dict[str, WorkloadFile]]:
    """Read the descriptions of the environment's workloads; note those that do not exist."""
    named = document.at(("workloads",))
    folders = workload_names(root)
    pairs: list[checks.Pair] = []
    files: dict[str, WorkloadFile] = {}
    if not named and not any(document.at((part,)) is not None for part in ("studio", "notebook")) and document.value:
        message = "needs at least one workload, where there is neither Studio nor a notebook"
        document.problem(("workloads",), message, allowed=", ".join(folders) or "none yet", show_value=False)
    for name in named if isinstance(named, dict) else ():
        if name not in folders:
            document.problems.append(checks.unknown_workload(document, name, folders))
            continue
        checks.check_workload_name(document, name)
        folder = root / "assets" / "workloads" / name
        described = _read(folder / "workload.yaml", root)
        file = _shape(described, WorkloadFile)
        pairs.append(checks.Pair(name, document, described, folder))
        if file is not None:
            files[name] = file
    return pairs, files


def _merge(
    root: Path, name: str, own: WorkloadFile, override: WorkloadOverride, file: EnvironmentFile, region: str | None
) -> Workload:
    """Lay the environment's settings over the workload's own."""
    prepare = own.prepare.model_dump() | override.prepare.model_dump(exclude_none=True)
    full = own.data.full.s3.replace("{region}", region or "{region}") if own.data.full else None
    return Workload(
        name=name,
        title=own.title,
        folder=root / "assets" / "workloads" / name,
        full_data=full if file.data == "full" else None,
        prepare=Prepare(**prepare),
        train=merge_train(own.train, override),
        serve=served(own.serve, override.endpoint, own.train.hyperparameters | override.hyperparameters),
        evaluate=_evaluate(own.evaluate),
        pipeline=PipelineSettings(**override.pipeline.model_dump()) if override.pipeline else None,
        monitors=tuple(
            Monitor(kind, expression_of(one.every), one.rows or file.monitoring.rows)
            for kind, one in sorted(override.monitors.items())
        ),
    )


def _evaluate(file: EvaluateSpec) -> Evaluate:
    threshold = THRESHOLD if file.threshold is None else file.threshold
    return Evaluate(file.kind, str(file.answer or file.score), threshold)


def _studio(file: StudioSpec | None, workloads: tuple[str, ...]) -> Studio | None:
    if file is None:
        return None
    plain = file.model_dump(exclude={"users", "instances"})
    users = tuple(
        User(user.name, workloads if user.workloads is None else tuple(user.workloads), user.monthly_budget_usd)
        for user in file.users
    )
    return Studio(**plain, instances=tuple(file.instances), users=users)


def _notebook(file: NotebookSpec | None) -> Notebook | None:
    return None if file is None else Notebook(**file.model_dump())


def _nightly_stop(file: NightlyStopSpec | None) -> NightlyStop | None:
    return None if file is None else NightlyStop(**file.model_dump())
