"""Workloads with a pipeline: what is merged, what is reckoned, and what does not go with one."""

from __future__ import annotations

import pytest

from sandcastle.config import PipelineSettings
from sandcastle.config.monitoring import LOCAL_ACCOUNT
from sandcastle.naming import PipelineNames
from tests.config.conftest import VALID, Project

TUNING = """\
  tuning:
    {objective: validation:auc, goal: Maximize, max_jobs: 2, parallel_jobs: 2, ranges: {eta: {kind: integer, min: 0,
    max: 1}}}
"""


def with_pipeline(text: str, more: str = "") -> str:
    """Return the environment file in which ``plain`` has a pipeline, and more settings if there are any."""
    return VALID.replace("plain: {}", f"plain: {{pipeline: {text}{', ' if more else ''}{more}}}").replace("200", "900")


def test_a_pipeline_has_thresholds_and_a_stack_of_its_own(project: Project) -> None:
    plain, spotty = project.load(with_pipeline("true")).workloads
    assert plain.pipeline == PipelineSettings(approve=0.7, review=0.5)
    assert (plain.stack, spotty.stack) == ("pipeline-plain", "workload-spotty")
    assert (plain.serve.kind, plain.serve.capture_percent, plain.serve.variant_names) == ("real-time", 100, ("main",))
    decided, _ = project.load(with_pipeline("true")).monitored_by({}, LOCAL_ACCOUNT).workloads
    assert "model-monitor" in decided.images - spotty.images


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{}", PipelineSettings(0.7, 0.5)),
        ("{approve: 0.9}", PipelineSettings(0.9, 0.5)),
        ("{approve: 1, review: 0.25}", PipelineSettings(1, 0.25)),
        ("{approve: 0.6, review: 0.6}", PipelineSettings(0.6, 0.6)),
        ("false", None),
    ],
)
def test_thresholds(project: Project, text: str, expected: PipelineSettings | None) -> None:
    assert project.load(with_pipeline(text)).workloads[0].pipeline == expected


def test_the_endpoint_may_have_instances_and_capture(project: Project) -> None:
    more = "endpoint: {kind: real-time, instance: ml.m5.xlarge, instances: 2, capture_percent: 10}"
    serve = project.load(with_pipeline("true", more)).workloads[0].serve
    assert (serve.started_instances, serve.capture_percent) == ({"ml.m5.xlarge": 2}, 10)


def test_a_pipeline_tunes_beside_its_plain_training_and_not_in_it(project: Project) -> None:
    project.workload("plain", lambda text: text.replace("serve:", f"  tune: true\n{TUNING}serve:"))
    (plain, _) = project.load(with_pipeline("true")).workloads
    assert (plain.train.tune, plain.train.tuning is not None) == (False, True)
    assert plain.train.fixed_hyperparameters == {"eta": "0.2", "num_round": "100"}
    assert plain.training_instances == 3  # one, and two at a time that are tuned
    (plain, _) = project.load(VALID).workloads
    assert (plain.train.tune, plain.training_instances) == (True, 2)


def test_nobody_waits_for_a_pipeline_so_that_its_jobs_may_run_for_days(project: Project) -> None:
    more = "train: {max_runtime_minutes: 12960}, prepare: {max_runtime_minutes: 12960}"
    assert project.load(with_pipeline("true", more)).workloads[0].train.max_runtime_minutes == 12960
    for key in ("train", "prepare"):
        error = project.refuse(with_pipeline("true", f"{key}: {{max_runtime_minutes: 12961}}"))
        assert "lets a processing job run" in str(error)
        assert "1 to 12960 minutes" in str(error)


def test_what_watches_the_endpoint_is_part_of_the_idle_cost(project: Project) -> None:
    text = VALID.replace("  spotty:", "  spotty:\n    pipeline: true").replace("plain: {}", "plain: {pipeline: true}")
    error = project.refuse(text.replace("usd: 200", "usd: 100"))
    (problem,) = error.problems
    endpoints, alarms = 2 * 0.115 * 730, (4 + 8) * 0.1
    watching = 2 * 2 * 730 * 10 / 60 * 0.115
    assert f"about {endpoints + alarms + watching:.0f} US dollars" in problem.message


MISTAKES = [
    # pipeline, further settings, key, words of the message, words of what is allowed
    ("yes please", "", "pipeline", "must be a map", "true, or a map"),
    ("", "", "pipeline", "must be a map", "true, or a map"),
    ("[]", "", "pipeline", "must be a map", "true, or a map"),
    ("1", "", "pipeline", "must be a map", "true, or a map"),
    ("{aprove: 0.7}", "", "pipeline.aprove", "did you mean approve?", "approve, review"),
    ("{approve: 70}", "", "pipeline.approve", "less than or equal to 1", "0 to 1"),
    ("{review: -0.1}", "", "pipeline.review", "greater than or equal to 0", "0 to 1"),
    ("{approve: high}", "", "pipeline.approve", "must be a number", "0 to 1"),
    ("{approve: 0.5, review: 0.7}", "", "pipeline.review", "too weak to be reviewed", "review at most approve"),
    ("{approve: 0.4}", "", "pipeline.approve", "too weak to be reviewed", "review at most approve"),
    ("true", "endpoint: {kind: serverless}", "endpoint.kind", "real-time endpoints only", "instance, instances"),
    ("true", "endpoint: {kind: async}", "endpoint.kind", "real-time endpoints only", "instance, instances"),
    ("true", "endpoint: {kind: none}", "endpoint.kind", "real-time endpoints only", "instance, instances"),
    ("true", "endpoint: {variants: {b: {weight: 1}}}", "endpoint.variants", "one model at a time", "no pipeline"),
    ("true", "endpoint: {scaling: {max: 2, invocations_per_minute: 1}}", "endpoint.scaling", "go back", "no pipeline"),
    ("true", "endpoint: {deployment: {}}", "endpoint.deployment", "10 minutes", "no pipeline"),
    ("true", "endpoint: {memory_mb: 2048}", "endpoint.memory_mb", "only a serverless", "no pipeline"),
    ("true", "endpoint: {max_concurrency: 2}", "endpoint.max_concurrency", "only a serverless", "no pipeline"),
    ("true", "endpoint: {concurrency: 2}", "endpoint.concurrency", "only an asynchronous", "no pipeline"),
    ("true", "endpoint: {capture_percent: 0}", "endpoint.capture_percent", "captures nothing", "1 to 100"),
    ("true", "endpoint: {instance: ml.m5.lage}", "endpoint.instance", "did you mean ml.m5.large?", "more"),
    ("true", "train: {tune: true}", "train.tune", "beside its plain training", "no such key"),
    ("true", "train: {tune: false}", "train.tune", "beside its plain training", "no such key"),
]


@pytest.mark.parametrize(("pipeline", "more", "key", "message", "allowed"), MISTAKES)
def test_mistakes_say_what_is_wrong_and_what_is_allowed(
    project: Project, pipeline: str, more: str, key: str, message: str, allowed: str
) -> None:
    project.workload("plain", lambda text: text.replace("serve:", f"{TUNING}serve:"))
    (problem,) = project.refuse(with_pipeline(pipeline, more)).problems
    assert problem.key == f"workloads.plain.{key}"
    assert message in problem.message
    assert allowed in problem.allowed


@pytest.mark.parametrize("algorithm", ["kmeans", "linear-learner"])
def test_algorithms_whose_images_run_no_script_are_refused(project: Project, algorithm: str) -> None:
    project.workload("plain", lambda text: text.replace("xgboost", algorithm))
    (problem,) = project.refuse(with_pipeline("true")).problems
    assert problem.key == "workloads.plain.pipeline"
    assert f"the image of {algorithm} runs no script of ours" in problem.message


def test_a_pretrained_artifact_is_refused(project: Project) -> None:
    folder = project.root / "assets" / "workloads" / "plain"
    (folder / "model.tar.gz").write_bytes(b"")

    def artifact(text: str) -> str:
        before, _, rest = text.partition("train:\n")
        after = rest[rest.index("serve:") :]
        return f"{before}train: {{algorithm: xgboost, artifact: {{file: model.tar.gz}}}}\n{after}"

    project.workload("plain", artifact)
    (problem,) = project.refuse(with_pipeline("true")).problems
    assert (problem.key, "nothing for a pipeline to train" in problem.message) == ("workloads.plain.pipeline", True)


def test_clusters_are_refused(project: Project) -> None:
    judged = 'evaluate: {positive: "yes", negative: "no", score: csv, threshold: 0.5, batch_rows: 100}'
    project.workload("plain", lambda text: text.replace(judged, "evaluate: {kind: clusters, answer: csv}"))
    (problem,) = project.refuse(with_pipeline("true")).problems
    assert "clusters have no accuracy" in problem.message


def test_names_leave_room_for_what_is_named_after_them(project: Project) -> None:
    """Every name at the limit has 63 characters at most; one character more is refused."""
    workload, environment = "plain", "e" * 17
    names = PipelineNames(environment, workload, part="0123abcd")
    longest = max(len(f"{schedule}-{'0' * 8}") for schedule in names.schedules)
    assert longest == 62
    others = (names.training, names.deployment, names.group, f"{names.endpoint}-12345-abcd")
    assert max(len(one) for one in others) <= 63
    text = with_pipeline("true").replace("name: test", f"name: {environment}")
    assert "together have" not in str(project.refuse(text))
    error = project.refuse(text.replace(environment, f"{environment}e"))
    assert f"'{environment}e' and 'plain' together have 23 characters" in str(error)
