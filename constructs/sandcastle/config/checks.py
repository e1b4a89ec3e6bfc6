"""What must hold beyond the shape of a file: offered instances, limits that meet.

The checks read raw values, because they must run, and report, also when another part of the file is wrong; they
skip a value that is itself not of its kind, since that is reported already.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeGuard

from sandcastle.config import catalogue
from sandcastle.config.base import NAME
from sandcastle.config.catalogue import Use
from sandcastle.config.environment import NOTEBOOK_USER
from sandcastle.config.problem import Problem, listed, nearest
from sandcastle.config.yaml_lines import Document, KeyPath

LONGEST_JOB_MINUTES = 45
"""A custom resource may wait one hour (CloudFormation's ServiceTimeout, 3600 s), and our own waiting ends minutes
before that, so that it can still say why. Ten minutes more are for what does not count as running time: starting and
stopping instances, copying data and the model."""

LONGEST_STEP_MINUTES = 12_960
"""Nobody waits for a pipeline's jobs. A processing job may run nine days (CreateProcessingJob, 777,600 s); so may, for
simplicity, a training job."""

LONGEST_NAMES = 28
"""Most characters of environment and workload name together: a job is named
``sandcastle-<environment>--<workload>--<fingerprint 8>-<stack 8>-<attempt 2>`` and may have 63."""


@dataclass(frozen=True)
class Setting:
    """A value that counts, and where it is written: the environment file, or else the workload's."""

    value: Any
    document: Document
    path: KeyPath


@dataclass(frozen=True)
class Pair:
    """One workload of an environment: the environment's file, the workload's file, its name and its folder."""

    name: str
    environment: Document
    workload: Document
    folder: Path

    @property
    def has_pipeline(self) -> bool:
        """Whether the workload is to have a pipeline, as far as what is written can be read."""
        return self.environment.at(("workloads", self.name, "pipeline")) not in (None, False)

    @property
    def monitors(self) -> Mapping[str, Any]:
        """The monitors that are written, by kind, as far as they can be read."""
        found = self.environment.at(("workloads", self.name, "monitors"))
        if isinstance(found, list):
            return {one: {} for one in found if isinstance(one, str)}
        return found if isinstance(found, dict) else {}

    @property
    def longest_minutes(self) -> int:
        """How long one of its jobs may run."""
        return LONGEST_STEP_MINUTES if self.has_pipeline else LONGEST_JOB_MINUTES

    @property
    def longest_reason(self) -> str:
        """Why no longer."""
        if self.has_pipeline:
            return "longer than SageMaker lets a processing job run"
        return "longer than a deploy can wait for a job: a custom resource ends after one hour"

    def setting(self, section: str, key: str, own: str = "") -> Setting:
        """Return the value that counts: the environment's override, else the workload's own (section ``own``)."""
        path: KeyPath = ("workloads", self.name, section, key)
        value = self.environment.at(path)
        if value is not None:
            return Setting(value, self.environment, path)
        return Setting(self.workload.at((own or section, key)), self.workload, (own or section, key))


def known_region(document: Document, region: Any) -> str | None:
    """Return the region if SageMaker knows it; note one that it does not know."""
    if not isinstance(region, str):
        return None
    known = catalogue.regions()
    if region not in known:
        document.problem(
            ("region",), f"{region} is not a region of SageMaker{nearest(region, known)}", allowed=listed(known)
        )
        return None
    return region


def check_file_name(document: Document, name: str) -> None:
    """Note a file whose name is not the environment's: two files could then own the same stacks."""
    written = document.at(("name",))
    if isinstance(written, str) and written != name:
        document.problem(("name",), "must be the name of the file", allowed=name)


def check_names(pair: Pair, environment: str) -> None:
    """Note a workload's name that no job name can be made of, by itself or together with the environment's."""
    if re.fullmatch(NAME, pair.name) is None:
        pair.environment.problem(
            ("workloads", pair.name),
            "the folder's name is no name of a workload",
            allowed="lower-case letters, digits and single dashes, a letter first",
        )
    if len(environment) + len(pair.name) > LONGEST_NAMES:
        pair.environment.problem(
            ("workloads", pair.name),
            f"the names {environment!r} and {pair.name!r} together have {len(environment) + len(pair.name)} characters",
            allowed=f"at most {LONGEST_NAMES}, so that job names stay within SageMaker's 63",
        )


def check_instances(pair: Pair, region: str) -> None:
    """Note instance types that the region does not offer for the use."""
    uses: tuple[tuple[Use, Setting], ...] = (
        ("processing", pair.setting("prepare", "instance")),
        ("training", pair.setting("train", "instance")),
    )
    for use, setting in uses:
        offered = catalogue.instance_types(use, region)
        if isinstance(setting.value, str) and offered and setting.value not in offered:
            setting.document.problem(
                setting.path,
                f"not an instance type for {use} in {region}{nearest(setting.value, offered)}",
                allowed=listed(offered, setting.value),
            )


def check_images(pair: Pair, region: str | None) -> None:
    """Note a prepare image that the image map does not have, and images that it does not have in this region."""
    known = catalogue.images()
    prepare, algorithm, framework = (
        pair.workload.at(path) for path in (("prepare", "image"), ("train", "algorithm"), ("train", "framework"))
    )
    if isinstance(prepare, str) and prepare not in known:
        message = f"not in the image map{nearest(prepare, known)}"
        pair.workload.problem(("prepare", "image"), message, allowed=listed(known))
    serving = catalogue.FRAMEWORKS.get(framework) if isinstance(framework, str) else None
    for key in (prepare, algorithm, framework, serving):
        if region is not None and key in known and catalogue.image_uri(str(key), region) is None:
            message = f"needs the image {key!r}, which AWS does not publish in {region}"
            pair.environment.problem(("workloads", pair.name), message)


def check_prepare_limit(pair: Pair) -> None:
    """Note a prepare job that may run longer than a deploy can wait; training has ``checks_training``."""
    setting = pair.setting("prepare", "max_runtime_minutes")
    if whole(setting.value) and setting.value > pair.longest_minutes:
        setting.document.problem(setting.path, pair.longest_reason, allowed=f"1 to {pair.longest_minutes} minutes")


def unknown_workload(document: Document, name: str, folders: list[str]) -> Problem:
    """Return the mistake of a workload that has no folder."""
    path: KeyPath = ("workloads", name)
    message = f"there is no such workload{nearest(name, folders)}"
    allowed = ", ".join(folders) or "none yet"
    return Problem(document.file, document.line(path), f"workloads.{name}", message, None, allowed)


def check_workload_name(document: Document, name: str) -> None:
    """Note a workload whose jobs, or whose data's folder, would have names that belong to people.

    See ``StudioNames.user_prefix`` and ``notebook_role.HOME``.
    """
    if name == "users" or name.startswith("users-"):
        message = "its jobs would have names that belong to users of Studio"
        document.problem(("workloads", name), message, allowed="a folder that is not called users or users-...")
    if name == NOTEBOOK_USER:
        message = "the notebook instance's folder in the data bucket has this name"
        document.problem(("workloads", name), message, allowed="a folder that is called something else")


def whole(value: Any) -> TypeGuard[int]:
    """Say whether the raw value is a whole number."""
    return isinstance(value, int) and not isinstance(value, bool)
