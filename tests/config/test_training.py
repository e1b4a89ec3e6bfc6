"""How a model comes about, in a workload's file and in an environment's: what becomes of it, and what is refused."""

from __future__ import annotations

import re

import pytest

from sandcastle.config import Artifact, Range, Train, Tuning
from tests.config.conftest import VALID, Project

SCRIPT = r"""
  framework: sklearn
  script: train.py
  instance: ml.m5.large
  max_runtime_minutes: 15
  channels: {train: text/csv}
  hyperparameters: {depth: 3, rate: 0.2}
  metrics: {score: 'score=(\S+)'}
  tuning:
    strategy: Random
    objective: score
    goal: Maximize
    max_jobs: 9
    parallel_jobs: 3
    ranges:
      rate: {kind: continuous, min: 0, max: 0.5}
      depth: {kind: integer, min: 1, max: 10, scale: Logarithmic}
      booster: {kind: categorical, values: [tree, 7, true]}
"""

GRID = r"""
  algorithm: xgboost
  instance: ml.m5.large
  max_runtime_minutes: 15
  channels: {train: text/csv}
  tuning:
    strategy: Grid
    objective: validation:auc
    goal: Maximize
    max_jobs: 4
    ranges: {depth: {kind: categorical, values: [1, 2]}, rate: {kind: categorical, values: [0.1, 0.2]}}
"""

ARTIFACT = "\n  algorithm: xgboost\n  artifact: {file: model.tar.gz}\n"

TUNED = VALID.replace("plain: {}", "plain: {train: {tune: true}}")


def written(project: Project, train: str) -> None:
    """Give the workload ``plain`` another section ``train``, and the files that it names."""
    section = re.compile(r"^train:\n.*?^serve", re.DOTALL | re.MULTILINE)
    project.workload("plain", lambda text: section.sub(lambda _: f"train:{train}serve", text))
    handler = "script: inference.py, " if "framework:" in train else ""
    serve = re.compile(r"^serve: {(script: inference.py, )?", re.MULTILINE)
    project.workload("plain", lambda text: serve.sub(lambda _: f"serve: {{{handler}", text))
    for name in ("train.py", "inference.py", "model.tar.gz"):
        (project.root / "assets" / "workloads" / "plain" / name).touch()


def train_of(project: Project, text: str = VALID) -> Train:
    return project.load(text).workloads[0].train


def test_a_script_and_its_tuning_become_what_sagemaker_takes(project: Project) -> None:
    written(project, SCRIPT)
    train = train_of(project)
    assert (train.framework, train.script, train.algorithm, train.artifact) == ("sklearn", "train.py", None, None)
    assert (train.image, train.serving_image, train.internet, train.instances) == ("sklearn", "sklearn", False, 1)
    assert train.metrics == {"score": r"score=(\S+)"}
    assert train.tuning == Tuning(
        "Random", "score", "Maximize", 9, 3,
        {
            "booster": Range("categorical", "", "", "", ("tree", "7", "true")),
            "depth": Range("integer", "1", "10", "Logarithmic", ()),
            "rate": Range("continuous", "0.0", "0.5", "Auto", ()),
        },
    )  # fmt: skip


def test_a_deploy_tunes_when_the_environment_or_the_workload_says_so(project: Project) -> None:
    written(project, SCRIPT)
    assert train_of(project).tune is False
    assert train_of(project, TUNED).tune is True
    written(project, SCRIPT + "  tune: true\n")
    assert train_of(project).tune is True
    assert train_of(project, TUNED.replace("tune: true", "tune: false")).tune is False


def test_hyperparameters_with_a_range_count_where_nothing_is_tuned(project: Project) -> None:
    written(project, SCRIPT)
    assert train_of(project).fixed_hyperparameters == {"depth": "3", "rate": "0.2"}
    assert train_of(project, TUNED).fixed_hyperparameters == {}


def test_as_many_instances_are_needed_as_train_at_the_same_time(project: Project) -> None:
    written(project, SCRIPT + "  instances: 2\n")
    assert project.load(VALID).workloads[0].training_instances == 2
    assert project.load(TUNED).workloads[0].training_instances == 6
    variants = "{endpoint: {variants: {other: {weight: 1, hyperparameters: {depth: 4}}, same: {weight: 1}}}}"
    text = VALID.replace("plain: {}", f"plain: {variants}").replace("usd: 200", "usd: 2000")
    assert project.load(text).workloads[0].training_instances == 4
    written(project, ARTIFACT)
    assert project.load(VALID).workloads[0].training_instances == 0


def test_each_framework_serves_with_its_own_image(project: Project) -> None:
    written(project, SCRIPT.replace("sklearn", "pytorch"))
    assert (train_of(project).image, train_of(project).serving_image) == ("pytorch", "pytorch-inference")
    assert project.load(VALID).workloads[0].images == {"sklearn", "pytorch", "pytorch-inference"}
    written(project, ARTIFACT)
    assert project.load(VALID).workloads[0].images == {"sklearn", "xgboost"}


@pytest.mark.parametrize(
    ("place", "artifact"),
    [
        ("file: model.tar.gz", Artifact("model.tar.gz", None)),
        ("s3: s3://some-bucket/a/model.tar.gz", Artifact(None, "s3://some-bucket/a/model.tar.gz")),
    ],
)
def test_a_pre_trained_artifact_needs_nothing_else(project: Project, place: str, artifact: Artifact) -> None:
    written(project, ARTIFACT.replace("file: model.tar.gz", place))
    environment = project.load(VALID)
    assert environment.workloads[0].train.artifact == artifact
    assert "" not in environment.instances


def test_instances_of_the_environment_lie_over_those_of_the_workload(project: Project) -> None:
    written(project, SCRIPT + "  instances: 2\n")
    assert train_of(project).instances == 2
    assert train_of(project, VALID.replace("plain: {}", "plain: {train: {instances: 3}}")).instances == 3


def test_requirements_come_from_the_internet(project: Project) -> None:
    written(project, SCRIPT)
    (project.root / "assets" / "workloads" / "plain" / "requirements.txt").touch()
    (problem,) = project.refuse(VALID).problems
    assert problem.key == "train.internet"
    assert "requirements.txt" in problem.message
    written(project, SCRIPT + "  internet: true\n")
    assert train_of(project).internet is True


IN_THE_WORKLOAD = [
    # the section, what is replaced, by what, key, words of the message, words of what is allowed
    (SCRIPT, "framework: sklearn", "framework: sklearn\n  algorithm: xgboost", "framework", "not from both", "one"),
    (SCRIPT, "  framework: sklearn\n  script: train.py\n", "", "", "needs an algorithm or a framework", "kmeans"),
    (SCRIPT, "framework: sklearn", "framework: sklern", "framework", "did you mean sklearn?", "pytorch"),
    (SCRIPT, "framework: sklearn", "framework: xgboost", "framework", "no framework of this version", "pytorch"),
    (GRID, "algorithm: xgboost", "algorithm: sklearn", "algorithm", "no algorithm of this version", "xgboost"),
    (SCRIPT, "  script: train.py\n", "", "framework", "none is named", "script"),
    (SCRIPT, "script: train.py", "script: tran.py", "script", "did you mean train.py?", "py"),
    (SCRIPT, "script: train.py", "script: ../train.py", "script", "not of the right form", "py"),
    (GRID, "algorithm: xgboost", "algorithm: xgboost\n  script: train.py", "script", "runs no script", "framework"),
    (GRID, "algorithm: xgboost", "algorithm: xgboost\n  internet: true", "internet", "only a script", "false"),
    (GRID, "algorithm: xgboost", "algorithm: xgboost\n  metrics: {a: '(a)'}", "metrics", "of its own", "framework"),
    (SCRIPT, "  instance: ml.m5.large\n", "", "instance", "required", "instance type"),
    (SCRIPT, "  channels: {train: text/csv}\n", "", "channels", "required", "content type"),
    (SCRIPT, "channels: {train: text/csv}", "channels: {}", "channels", "at least 1", "channel"),
    (SCRIPT, "channels: {train: text/csv}", "channels: {code: text/csv}", "channels.code", "not a valid", "train"),
    (SCRIPT, "depth: 3", "sagemaker_program: x.py", "hyperparameters.sagemaker_program", "SageMaker's own", "other"),
    (SCRIPT, r"score=(\S+)", r"score=\S+", "metrics.score", "has no group", r"(\S+)"),
    (SCRIPT, r"score=(\S+)", r"score=(\S+", "metrics.score", "no regular expression", r"(\S+)"),
    (SCRIPT, r"score=(\S+)", "(x)" + "x" * 498, "metrics.score", "longer", "500"),
    (SCRIPT, "framework: sklearn", "instances: 21\n  framework: sklearn", "instances", "20", "1 to 20"),
    (SCRIPT, "objective: score", "objective: scor", "tuning.objective", "did you mean score?", "score"),
    (SCRIPT, "goal: Maximize", "goal: Maximise", "tuning.goal", "did you mean Maximize?", "Minimize"),
    (SCRIPT, "strategy: Random", "strategy: Hyperband", "tuning.strategy", "not a valid value", "Bayesian"),
    (SCRIPT, "max_jobs: 9", "max_jobs: 751", "tuning.max_jobs", "750", "1 to 750"),
    (SCRIPT, "parallel_jobs: 3", "parallel_jobs: 10", "tuning.parallel_jobs", "than in all (9)", "1 to 9"),
    (SCRIPT, "min: 0, max: 0.5", "min: 0, values: [1]", "tuning.ranges.rate.values", "only a categorical", "min"),
    (SCRIPT, "min: 0, max: 0.5", "min: 0", "tuning.ranges.rate", "needs max", "min and max"),
    (SCRIPT, "min: 0, max: 0.5", "min: 0.5, max: 0.5", "tuning.ranges.rate.max", "more than min", "0.5"),
    (SCRIPT, "min: 1, max: 10", "min: 0, max: 10", "tuning.ranges.depth.scale", "above 0", "Linear"),
    (SCRIPT, "min: 1, max: 10", "min: 1.5, max: 10", "tuning.ranges.depth.min", "whole number", "continuous"),
    (SCRIPT, "scale: Logarithmic", "scale: ReverseLogarithmic", "tuning.ranges.depth.scale", "continuous", "Auto"),
    (SCRIPT, "values: [tree, 7, true]", "min: 1", "tuning.ranges.booster", "needs values", "values"),
    (SCRIPT, "values: [tree, 7, true]", "values: [1], min: 1", "tuning.ranges.booster.min", "values only", "values"),
    (SCRIPT, "[tree, 7, true]", "[7, '7']", "tuning.ranges.booster.values", "same value twice", "once"),
    (SCRIPT, "[tree, 7, true]", "[[7]]", "tuning.ranges.booster.values[0]", "must be one value", "text"),
    (GRID, "max_jobs: 4", "max_jobs: 5", "tuning.max_jobs", "there are 4", "4"),
    (GRID, "categorical, values: [1, 2]", "integer, min: 1, max: 2", "tuning.ranges.depth.kind", "grid", "strategy"),
    (ARTIFACT, "file: model.tar.gz", "file: modl.tar.gz", "artifact.file", "did you mean model.tar.gz?", "model"),
    (ARTIFACT, "file: model.tar.gz", "file: model.zip", "artifact.file", "not of the right form", "model.tar.gz"),
    (ARTIFACT, "file: model.tar.gz", "s3: s3://b*/m.tar.gz", "artifact.s3", "not of the right form", "s3://bucket"),
    (ARTIFACT, "{file: model.tar.gz}", "{}", "artifact", "needs one place", "file or s3"),
    (ARTIFACT, "gz}", "gz, s3: s3://bucket/m.tar.gz}", "artifact", "needs one place", "not both"),
    (ARTIFACT, "gz}", "gz}\n  instance: ml.m5.large", "instance", "the artifact is the model", "without"),
    (ARTIFACT, "gz}", "gz}\n  script: train.py", "script", "the artifact is the model", "without"),
    (ARTIFACT, "gz}", "gz}\n  tune: true", "tune", "the artifact is the model", "without"),
]  # fmt: skip


@pytest.mark.parametrize(("section", "old", "new", "key", "message", "allowed"), IN_THE_WORKLOAD)
def test_mistake_in_the_workloads_file(
    project: Project, section: str, old: str, new: str, key: str, message: str, allowed: str
) -> None:
    written(project, section.replace(old, new, 1))
    error = project.refuse(VALID)
    found = [problem for problem in error.problems if problem.key == (f"train.{key}" if key else "train")]
    assert any(message in problem.message and allowed in problem.allowed for problem in found), str(error)
    assert all(problem.file == "assets/workloads/plain/workload.yaml" for problem in error.problems)


IN_THE_ENVIRONMENT = [
    # the section, settings of the workload, key, words of the message, words of what is allowed
    (ARTIFACT, "{train: {instance: ml.m5.large}}", "train.instance", "the artifact is the model", "without"),
    (ARTIFACT, "{train: {tune: true}}", "train.tune", "the artifact is the model", "without"),
    (ARTIFACT, "{hyperparameters: {depth: 3}}", "hyperparameters", "the artifact is the model", "without"),
    (SCRIPT, "{hyperparameters: {sagemaker_x: 3}}", "hyperparameters.sagemaker_x", "SageMaker's own", "another"),
    (SCRIPT, "{train: {instances: 0}}", "train.instances", "greater than or equal to 1", "1 to 20"),
    (SCRIPT, "{train: {tune: true}, hyperparameters: {depth: 3}}", "hyperparameters.depth", "no effect", "tune: false"),
    (SCRIPT, "{train: {tune: true, max_runtime_minutes: 16}}", "train.tune", "3 turns of 3 jobs", "at most 45"),
    (SCRIPT, "{train: {tune: true, spot: true, max_wait_minutes: 16}}", "train.tune", "16 minutes", "max_wait_minutes"),
    (SCRIPT, "{train: {spot: true, max_wait_minutes: 14}}", "train.max_wait_minutes", "shorter", "15 to 45"),
    (SCRIPT.partition("  tuning")[0], "{train: {tune: true}}", "train.tune", "no section tuning", "false"),
]  # fmt: skip


@pytest.mark.parametrize(("section", "settings", "key", "message", "allowed"), IN_THE_ENVIRONMENT)
def test_mistake_in_the_environments_file(
    project: Project, section: str, settings: str, key: str, message: str, allowed: str
) -> None:
    written(project, section)
    (problem,) = project.refuse(VALID.replace("plain: {}", f"plain: {settings}")).problems
    assert problem.key == f"workloads.plain.{key}"
    assert message in problem.message
    assert allowed in problem.allowed
    assert problem.file == "environments/test.yaml"


def test_tuning_that_just_fits_into_a_deploy_is_taken(project: Project) -> None:
    written(project, SCRIPT)
    assert train_of(project, TUNED).max_runtime_minutes == 15
    spot = "{train: {tune: true, spot: true, max_wait_minutes: 15}}"
    assert train_of(project, VALID.replace("plain: {}", f"plain: {spot}")).spot is True


def test_a_script_takes_fewer_metrics_when_it_is_tuned(project: Project) -> None:
    many = ", ".join(f"m{number}: '(x)'" for number in range(20))
    written(project, SCRIPT.replace("metrics: {", f"metrics: {{{many}, "))
    (problem,) = project.refuse(VALID).problems
    assert (problem.key, problem.allowed) == ("train.metrics", "at most 20 beside tuning")
