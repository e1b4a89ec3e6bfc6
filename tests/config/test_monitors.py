"""Monitors: what is read, what does not go with them, what they are reckoned at, and which engine looks where."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandcastle.config.monitoring import (
    EVERY,
    MONITOR_IMAGE,
    PORTABLE_IMAGE,
    Monitor,
    context_key,
    engine_of,
    expression_of,
    hours_of,
)
from tests.config.conftest import VALID, Project

BOTH = "[data-quality, model-quality]"


def monitored(monitors: str, more: str = "") -> str:
    """Return the environment file in which ``plain`` has monitors, and more settings if there are any."""
    return VALID.replace("plain: {}", f"plain: {{monitors: {monitors}{more}}}").replace("200", "900")


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (BOTH, [("data-quality", EVERY["hourly"]), ("model-quality", EVERY["hourly"])]),
        ("[model-quality]", [("model-quality", EVERY["hourly"])]),
        ("{model-quality: {every: daily}, data-quality: {}}", [("data-quality", EVERY["hourly"]), ("model-quality", EVERY["daily"])]),  # noqa: E501
        ("{data-quality: {every: 'cron(0 3/6 ? * * *)'}}", [("data-quality", "cron(0 3/6 ? * * *)")]),
        ("[batch-data-quality]", [("batch-data-quality", EVERY["hourly"])]),
        ("[]", []),
        ("{}", []),
    ],
)  # fmt: skip
def test_a_list_or_a_map(project: Project, written: str, expected: list[tuple[str, str]]) -> None:
    plain, spotty = project.load(monitored(written)).workloads
    assert [(one.kind, one.expression) for one in plain.monitors] == expected
    assert spotty.monitors == ()


def test_rows_of_the_smallest_window_are_the_environments_unless_a_monitor_has_its_own(project: Project) -> None:
    text = monitored("{data-quality: {rows: 300}, model-quality: {}}")
    for more, expected in (("", [300, 1000]), ("monitoring: {rows: 5000}\n", [300, 5000])):
        found = project.load(f"{text}{more}")
        assert [one.rows for one in found.workloads[0].monitors] == expected
        assert found.monitoring_rows == expected[1]
    assert "monitoring.rows" in str(project.refuse(f"{text}monitoring: {{rows: 10}}\n"))


MISTAKES = [
    # monitors, further settings, key, words of the message, words of what is allowed
    ("[data-quality, data-quality]", "", "monitors", "a map", "each once"),
    ("[quality]", "", "monitors.quality", "", "data-quality"),
    ("{data-quality: {rows: 49}}", "", "monitors.data-quality.rows", "", "50 to 100000"),
    ("{data-quality: {every: weekly}}", "", "monitors.data-quality.every", "", "hourly, daily"),
    ("{data-quality: {every: 'cron(5 * ? * * *)'}}", "", "monitors.data-quality.every", "", "cron(0 H ? * * *)"),
    ("{data-quality: {every: 'cron(0 24 ? * * *)'}}", "", "monitors.data-quality.every", "", "cron(0 H ? * * *)"),
    (BOTH, ", endpoint: {kind: serverless}", "monitors", "real-time endpoints only", "kind real-time"),
    (BOTH, ", endpoint: {kind: async}", "monitors", "real-time endpoints only", "kind real-time"),
    (BOTH, ", endpoint: {kind: none}", "monitors", "real-time endpoints only", "kind real-time"),
    ("[batch-data-quality, data-quality]", ", endpoint: {kind: none}", "monitors", "real-time endpoints only", "batch-data-quality alone"),  # noqa: E501
    ("[batch-data-quality]", ", pipeline: true", "monitors", "its own two monitors", "beside a pipeline"),
    (BOTH, ", endpoint: {capture_percent: 0}", "endpoint.capture_percent", "captures nothing", "1 to 100"),
    (BOTH, ", endpoint: {variants: {b: {weight: 1, hyperparameters: {eta: 1}}}}", "endpoint.variants.b.hyperparameters", "two models", "no monitors"),  # noqa: E501
    (BOTH, ", pipeline: true", "monitors", "its own two monitors", "beside a pipeline"),
]  # fmt: skip


@pytest.mark.parametrize(("monitors", "more", "key", "message", "allowed"), MISTAKES)
def test_mistake(project: Project, monitors: str, more: str, key: str, message: str, allowed: str) -> None:
    error = project.refuse(monitored(monitors, more))
    found = [one for one in error.problems if one.key == f"workloads.plain.{key}"]
    assert any(message in one.message and allowed in one.allowed for one in found), str(error)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (("algorithm: xgboost", "algorithm: linear-learner"), "linear-learner runs no script"),
        (('positive: "yes", negative: "no", score: csv, threshold: 0.5', "kind: clusters, answer: csv"), "no label"),
    ],
)
def test_a_model_that_nothing_can_judge_has_data_quality_only(
    project: Project, change: tuple[str, str], words: str
) -> None:
    project.workload("plain", lambda text: text.replace(*change))
    assert words in str(project.refuse(monitored(BOTH)))
    (plain, _) = project.load(monitored("[data-quality]")).workloads
    assert [one.kind for one in plain.monitors] == ["data-quality"]


@pytest.mark.parametrize("endpoint", ["kind: none", "kind: serverless", "capture_percent: 0"])
def test_transform_jobs_are_watched_whatever_the_endpoint(project: Project, endpoint: str) -> None:
    (plain, _) = project.load(monitored("[batch-data-quality]", f", endpoint: {{{endpoint}}}")).workloads
    assert [one.kind for one in plain.monitors] == ["batch-data-quality"]


def test_a_variant_of_the_same_model_is_watched(project: Project) -> None:
    more = ", endpoint: {variants: {b: {weight: 1}}}"
    assert project.load(monitored(BOTH, more)).workloads[0].monitors


def test_a_pipeline_has_either_engine_and_the_image_of_it(project: Project) -> None:
    for engine, image in (("portable", PORTABLE_IMAGE), ("model-monitor", MONITOR_IMAGE)):
        text = f"{VALID}monitoring: {{engine: {engine}}}\n".replace("200", "900")
        loaded = project.load(text.replace("plain: {}", "plain: {pipeline: true}")).monitored_by({}, None)
        (piped,) = (one for one in loaded.workloads if one.pipeline)
        assert (piped.engine, image in piped.images) == (engine, True)


def test_an_engine_that_the_region_does_not_have(project: Project) -> None:
    text = f"{monitored(BOTH)}monitoring: {{engine: model-monitor}}\n".replace("us-east-1", "ap-southeast-4")
    assert "does not publish in ap-southeast-4" in str(project.refuse(text))


def test_the_runs_are_part_of_the_idle_cost(project: Project) -> None:
    text = monitored("{data-quality: {every: daily}, model-quality: {}}").replace("usd: 900", "usd: 100")
    (problem,) = project.refuse(text).problems
    endpoints, alarms = 2 * 0.115 * 730, (4 + 4) * 0.1
    watching = (730 + 730 / 24) * 10 / 60 * 0.115
    assert f"about {endpoints + alarms + watching:.0f} US dollars" in problem.message


def test_images_are_the_engines(project: Project) -> None:
    environment = project.load(monitored(BOTH))
    for account, image in (("000000000000", "model-monitor"), ("123456789012", "sklearn")):
        found = environment.monitored_by({}, account)
        assert image in found.workloads[0].images
        assert "model-monitor" not in found.workloads[1].images
        assert found.monitoring == "auto"


@pytest.mark.parametrize(
    ("known", "account", "region", "expected"),
    [
        (None, "123456789012", "us-east-1", "portable"),
        ("open", "123456789012", "us-east-1", "model-monitor"),
        ("closed", "123456789012", "us-east-1", "portable"),
        (None, "000000000000", "us-east-1", "model-monitor"),
        (None, "000000000000", "ap-southeast-4", "portable"),
        ("open", "123456789012", "ap-southeast-4", "portable"),
        ("open", None, "us-east-1", "portable"),
        ("open", "123456789012", None, "portable"),
    ],
)
def test_auto(known: str | None, account: str | None, region: str | None, expected: str) -> None:
    """An account that nobody knows gets the engine that runs everywhere."""
    values = {context_key("123456789012", region or "us-east-1"): known} if known else {}
    assert engine_of("auto", values, account, region) == expected
    assert engine_of("portable", values, account, region) == "portable"
    assert engine_of("model-monitor", values, account, region) == "model-monitor"


@given(st.integers(0, 23), st.integers(1, 24))
def test_hours_between_two_looks(first: int, step: int) -> None:
    assert hours_of(f"cron(0 {first}/{step} ? * * *)") == step
    assert Monitor("data-quality", f"cron(0 {first} ? * * *)").hours == 24
    assert hours_of(expression_of("hourly")) == 1
    assert hours_of(expression_of("daily")) == 24
