"""Environment files: what a right one becomes, and what is said about each kind of mistake."""

from __future__ import annotations

import re
import shutil

import pytest

from sandcastle.config import ConfigError, load_environment
from sandcastle.config.checks import LONGEST_JOB_MINUTES
from sandcastle.job_provider import WAIT_MINUTES
from tests.config.conftest import VALID, Project
from tests.synthesis import ENVIRONMENTS, ROOT


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_the_environments_of_this_project_are_valid(name: str) -> None:
    assert load_environment(name, ROOT).name == name


def test_settings_of_the_environment_lie_over_those_of_the_workload(project: Project) -> None:
    environment = project.load(VALID)
    plain, spotty = environment.workloads
    assert (plain.train.instance, spotty.train.instance) == ("ml.m5.large", "ml.m5.xlarge")
    assert spotty.train.hyperparameters == {"eta": "0.2", "num_round": "7"}
    assert (plain.train.max_wait_minutes, spotty.train.max_wait_minutes) == (None, 40)
    assert (plain.serve.capture_percent, spotty.serve.capture_percent) == (100, 50)


def test_full_data_names_the_object_of_the_region(project: Project) -> None:
    sample = project.load(VALID)
    full = project.load(VALID.replace("data: sample", "data: full"))
    assert [workload.full_data for workload in sample.workloads] == [None, None]
    assert full.workloads[0].full_data == "s3://public-us-east-1/data/plain.csv"


def test_region_comes_from_the_caller_when_the_file_has_none(project: Project) -> None:
    text = VALID.replace("region: us-east-1\n", "")
    assert project.load(text, "eu-west-1").region == "eu-west-1"
    assert project.load(text).region is None


def test_training_without_spot_has_no_waiting_time(project: Project) -> None:
    environment = project.load(VALID.replace("train: {instance: ml.m5.xlarge}", "train: {spot: false}"))
    assert environment.workloads[1].train.max_wait_minutes is None


def test_boolean_hyperparameters_are_passed_as_algorithms_read_them(project: Project) -> None:
    environment = project.load(VALID.replace("{num_round: 7}", "{num_round: 7, verbose: true}"))
    assert environment.workloads[1].train.hyperparameters["verbose"] == "true"


MISTAKES = [
    # what is replaced, by what, line, key, words of the message, words of what is allowed
    ("name: test", "name: Test", 1, "name", "right form", "3 to 24 characters"),
    ("name: test", "name: other", 1, "name", "name of the file", "test"),
    ("name: test", "name: 7", 1, "name", "must be text", "characters"),
    ("name: test", "nam: test", 1, "nam", "did you mean name?", "monthly_budget_usd"),
    ("us-east-1", "us-east-11", 2, "region", "did you mean us-east-1?", "more"),
    ("us-east-1", "[us-east-1]", 2, "region", "must be text", "AWS region"),
    ("usd: 200", "usd: lots", 3, "monthly_budget_usd", "must be a number", "US dollars"),
    ("usd: 200", "usd: 0", 3, "monthly_budget_usd", "greater than 0", "more than 0"),
    ("usd: 200", "usd: 100", 3, "monthly_budget_usd", "about 168 US dollars", "at least 169"),
    ("[a@example.com]", "[a@example.com, nobody]", 4, "notify[1]", "right form", "e-mail"),
    ("[a@example.com]", "a@example.com", 4, "notify", "must be a list", "e-mail"),
    ("data: sample", "data: simple", 5, "data", "did you mean sample?", "sample, full"),
    ("  plain: {}", "  plan: {}", 7, "workloads.plan", "did you mean plain?", "plain, spotty"),
    ("  plain: {}", "  plain: yes", 7, "workloads.plain", "must be a map", ""),
    ("instance: ml.m5.xlarge", "instanse: ml.m5.xlarge", 9, "workloads.spotty.train.instanse", "instance?", "spot"),
    ("ml.m5.xlarge", "ml.m5.xlrge", 9, "workloads.spotty.train.instance", "did you mean ml.m5.xlarge?", "more"),
    ("ml.m5.large", "ml.t3.medium", 10, "workloads.spotty.endpoint.instance", "for hosting in us-east-1", "more"),
    ("percent: 50", "percent: 101", 10, "workloads.spotty.endpoint.capture_percent", "100", "0 to 100"),
    ("{instance: ml.m5.xlarge}", "{max_wait_minutes: 20}", 9, "workloads.spotty.train.max_wait_minutes", "30", "30 to"),
    ("{instance: ml.m5.xlarge}", "{max_wait_minutes: 46}", 9, "workloads.spotty.train.max_wait_minutes", "hour", "45"),
    ("plain: {}", "plain: {train: {spot: true}}", 7, "workloads.plain.train.spot", "needs max_wait_minutes", "least"),
    ("plain: {}", "plain: {train: {max_wait_minutes: 50}}", 7, "workloads.plain.train.max_wait_minutes", "only", ""),
    ("plain: {}", "plain: {prepare: {max_runtime_minutes: 46}}", 7, "workloads.plain.prepare.max_runtime_minutes", "hour", "1 to 45"),  # noqa: E501
    ("{num_round: 7}", "{num_round: [7]}", 11, "workloads.spotty.hyperparameters.num_round", "one value", "text"),
    ("data: sample", "monitoring: {engine: best}", 5, "monitoring.engine", "not a valid value", "portable"),
    ("data: sample", "monitoring: {every: hourly}", 5, "monitoring.every", "unknown key", "engine"),
    ("data: sample", "pipeline: true", 5, "pipeline", "unknown key", "workloads"),
    ("plain: {}", "plain: {monitors: {x: {}}}", 7, "workloads.plain.monitors.x", "", "data-quality"),
    ("capture_percent: 50", "kind: server", 10, "workloads.spotty.endpoint.kind", "did you mean serverless?", "none"),
    ("data: sample", "data: sample\ndata: full", 6, "data", "written twice; the first is on line 5", ""),
    ("data: sample", "no: sample", 5, "", "not text", ""),
    ("us-east-1", "us-esat-1", 2, "region", "did you mean us-east-1?", "more"),
    ("us-east-1", "us-wset-2", 2, "region", "did you mean us-west-2?", "more"),
    ("usd: 200", "usd: .nan", 3, "monthly_budget_usd", "must be a finite number", "US dollars"),
    ("usd: 200", "usd: -.inf", 3, "monthly_budget_usd", "must be a finite number", "US dollars"),
    ("usd: 200", "usd: nan", 3, "monthly_budget_usd", "must be a finite number", "US dollars"),
    ("usd: 200", "usd: inf", 3, "monthly_budget_usd", "must be a finite number", "US dollars"),
    ("usd: 200", "usd: 1e30", 3, "monthly_budget_usd", "is text in YAML; write 1.0e+30 or digits", "US dollars"),
    ("usd: 200", "usd: 2.5e2", 3, "monthly_budget_usd", "is text in YAML; write 2.5e+2 or digits", "US dollars"),
    ("num_round: 7", "eta: ''", 11, "workloads.spotty.hyperparameters.eta", "must not be empty", "text"),
    ("num_round: 7", "eta: ' '", 11, "workloads.spotty.hyperparameters.eta", "must not be empty", "text"),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "line", "key", "message", "allowed"), MISTAKES)
def test_mistake(project: Project, old: str, new: str, line: int, key: str, message: str, allowed: str) -> None:
    error = project.refuse(VALID.replace(old, new, 1))
    found = [problem for problem in error.problems if (problem.line, problem.key) == (line, key)]
    assert any(message in problem.message and allowed in problem.allowed for problem in found), str(error)
    assert all(problem.file == "environments/test.yaml" for problem in error.problems)


@pytest.mark.parametrize("number", ["3:20", "1:20", "0xff", "0b11", "017", "1_000", "3:20.5"])
def test_numbers_have_plain_decimal_digits(project: Project, number: str) -> None:
    """YAML 1.1 reads 3:20 as 200. The mistake is reported once, with what the file says."""
    for old, new, key in (
        ("usd: 200", f"usd: {number}", "monthly_budget_usd"),
        ("num_round: 7", f"num_round: {number}", "workloads.spotty.hyperparameters.num_round"),
    ):
        (problem,) = project.refuse(VALID.replace(old, new)).problems
        assert (problem.key, problem.value) == (key, repr(number))
        assert "numbers must be written in plain decimal digits" in problem.message


@pytest.mark.parametrize("number", ["200", "+200", "200.", "200.5", "2.0e+2"])
def test_plain_numbers_are_read(project: Project, number: str) -> None:
    assert project.load(VALID.replace("usd: 200", f"usd: {number}")).monthly_budget_usd == float(number)


def test_an_environment_needs_a_workload(project: Project) -> None:
    (problem,) = project.refuse(VALID.partition("workloads:")[0] + "workloads: {}\nexpires_after: never\n").problems
    assert (problem.line, problem.key) == (6, "workloads")
    assert problem.message.startswith("needs at least one workload")
    assert problem.allowed == "plain, spotty"


def test_a_notebook_with_all_defaults_is_enough(project: Project) -> None:
    text = VALID.partition("workloads:")[0] + "workloads: {}\nnotebook: {}\nexpires_after: never\n"
    environment = project.load(text)
    assert environment.notebook is not None
    assert environment.notebook.stop_at == "20:00"
    assert environment.instances == ("ml.t3.medium",)


def test_no_workload_has_the_name_of_the_notebooks_folder(project: Project) -> None:
    folder = project.root / "assets" / "workloads"
    shutil.copytree(folder / "plain", folder / "notebook")
    (problem,) = project.refuse(VALID.replace("plain: {}", "notebook: {}")).problems
    assert problem.key == "workloads.notebook"
    assert "folder in the data bucket" in problem.message


def test_required_keys_are_named(project: Project) -> None:
    error = project.refuse("data: sample\n")
    missing = {problem.key for problem in error.problems if "required" in problem.message}
    assert missing == {"name", "monthly_budget_usd", "expires_after"}


def test_all_mistakes_of_a_file_are_reported_at_once_and_in_order(project: Project) -> None:
    text = VALID.replace("usd: 200", "usd: 1").replace("sample", "smple").replace("plain", "plane")
    text = text.replace("ml.m5.xlarge", "ml.m5.xxlarge").replace("50}", "500}")
    error = project.refuse(text)
    assert [problem.line for problem in error.problems] == [3, 5, 7, 9, 10]
    assert str(error).startswith("5 mistakes")


def test_report_shows_file_line_key_value_and_what_is_allowed(project: Project) -> None:
    report = str(project.refuse(VALID.replace("percent: 50", "percent: 101")))
    assert "environments/test.yaml:10: workloads.spotty.endpoint.capture_percent = 101\n" in report
    assert "allowed: 0 to 100" in report


def test_mistake_in_a_workloads_own_file_is_reported_there(project: Project) -> None:
    project.workload("plain", lambda text: text.replace("algorithm: xgboost", "algorithm: xgbost"))
    project.workload("spotty", lambda text: text.replace("score: csv", "score: cvs").replace("title:", "titel:"))
    error = project.refuse(VALID)
    where = {(problem.file, problem.key) for problem in error.problems}
    assert where == {
        ("assets/workloads/plain/workload.yaml", "train.algorithm"),
        ("assets/workloads/spotty/workload.yaml", "evaluate.score"),
        ("assets/workloads/spotty/workload.yaml", "titel"),
        ("assets/workloads/spotty/workload.yaml", "title"),
    }


def test_names_that_would_make_job_names_too_long(project: Project) -> None:
    long = "e" * 22
    folder = project.root / "assets" / "workloads"
    shutil.copytree(folder / "plain", folder / "seventh")
    text = VALID.replace("name: test", f"name: {long}").replace("plain", "seventh")
    (project.root / "environments" / f"{long}.yaml").write_text(text)
    with pytest.raises(ConfigError) as error:
        load_environment(long, project.root)
    assert [problem.key for problem in error.value.problems] == ["workloads.seventh"]
    assert "at most 28" in error.value.problems[0].allowed


@pytest.mark.parametrize("name", ["two--dashes", "Upper", "under_score", "end-"])
def test_workload_folders_have_names_that_jobs_can_carry(project: Project, name: str) -> None:
    shutil.copytree(project.root / "assets" / "workloads" / "plain", project.root / "assets" / "workloads" / name)
    error = project.refuse(VALID.replace("plain", name))
    assert [(problem.line, problem.key) for problem in error.problems] == [(7, f"workloads.{name}")]


def test_unknown_environment_lists_those_that_exist(project: Project) -> None:
    project.load(VALID)
    with pytest.raises(ConfigError, match=r"did you mean test\?\n    allowed: test"):
        load_environment("tests", project.root)


def test_a_files_name_where_an_environments_was_meant(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    project.load(VALID)
    monkeypatch.chdir(project.root)
    (project.root / ".pre-commit-config.yaml").touch()
    (project.root / "environments" / ".hidden.yaml").touch()
    for name, message, allowed in (
        ("test.yaml", "there is no such file; did you mean test?", ""),
        ("/nowhere/test.yaml", "there is no such file", ""),
        ("../test", "there is no such file", ""),
        ("environments/tset.yaml", "there is no such environment; did you mean test?", "test"),
        ("other", "there is no such environment", "test"),
    ):
        with pytest.raises(ConfigError) as error:
            load_environment(name, project.root)
        (problem,) = error.value.problems
        assert (problem.message, problem.allowed) == (message, allowed), name


def test_unknown_price_is_named_and_checks_nothing(project: Project) -> None:
    text = VALID.replace("us-east-1", "eu-west-1").replace("usd: 200", "usd: 1")
    environment = project.load(text)
    assert environment.notes == (
        "no price is known for ml.m5.large hosting in eu-west-1, so the budget is not checked against it; "
        "for orientation: one in us-east-1 costs about 84 US dollars a month",
        "no price is known for alarms in eu-west-1, so the budget is not checked against them",
    )


def test_a_type_without_any_price_is_named_without_a_figure(project: Project) -> None:
    text = VALID.replace("ml.m5.large, capture_percent", "ml.p5.48xlarge, capture_percent")
    (note,) = project.load(text).notes
    assert note.endswith("ml.p5.48xlarge hosting in us-east-1, so the budget is not checked against it")


def test_the_longest_job_ends_before_a_deploy_stops_waiting() -> None:
    """Five minutes to start and stop on each side of it, and CloudFormation's hour is not reached."""
    assert LONGEST_JOB_MINUTES + 10 <= 55
    assert WAIT_MINUTES <= 60
    assert LONGEST_JOB_MINUTES + 10 <= WAIT_MINUTES


def test_what_depends_on_the_region_is_checked_in_the_callers_too(project: Project) -> None:
    text = VALID.replace("region: us-east-1\n", "").replace("ml.m5.xlarge", "ml.nothing.large")
    assert project.load(text).region is None
    error = project.refuse(text, "us-east-1")
    assert "for training in us-east-1" in error.problems[0].message


@pytest.mark.parametrize(
    ("block", "key", "says"),
    [
        ("{kind: multiclass, answer: csv, threshold: 0.5}", "evaluate.threshold", "of kind multiclass does not read"),
        ("{kind: clusters}", "evaluate.answer", "of kind clusters needs this key"),
        ('{positive: "yes", score: csv}', "evaluate.negative", "of kind binary needs this key"),
        ("{kind: fuzzy}", "evaluate.kind", "not a valid value"),
        ("{kind: clusters, answer: xml}", "evaluate.answer", "not of the right form"),
    ],
)
def test_an_evaluation_has_the_keys_of_its_kind_and_no_others(
    project: Project, block: str, key: str, says: str
) -> None:
    project.workload("plain", lambda text: text[: text.index("evaluate:")] + f"evaluate: {block}\n")
    found = project.refuse(VALID).problems
    assert [problem.key for problem in found] == [key]
    assert says in found[0].message


def test_a_workload_may_have_no_other_data_than_its_sample(project: Project) -> None:
    project.workload("plain", lambda text: re.sub(r"  full: .*\n", "", text))
    environment = project.load(VALID.replace("data: sample", "data: full"))
    assert [workload.full_data is None for workload in environment.workloads] == [True, False]
