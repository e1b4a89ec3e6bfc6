"""Adding a workload is adding a folder: the page that says how is followed to the letter, in a project of its own."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from operations.evaluation import About, ClassEvaluation, evaluate, plain_model, spec_of
from sandcastle.config import load_environment
from sandcastle.config.loader import workload_names
from sandcastle.config.workload import WorkloadFile
from sandcastle.config.yaml_lines import read_yaml
from tests.synthesis import ROOT, resources, synthesise

from .conftest import Prepare, Prepared

PAGE = ROOT / "docs" / "a-workload-of-your-own.md"


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with this one's assets, to which the page's files, and nothing else, have been added."""
    root = tmp_path_factory.mktemp("project")
    (root / "assets" / "workloads").mkdir(parents=True)
    (root / "environments").mkdir()
    for path in (ROOT / "assets").iterdir():
        if path.name != "workloads":
            (root / "assets" / path.name).symlink_to(path)
    for path in (ROOT / "assets" / "workloads").iterdir():
        (root / "assets" / "workloads" / path.name).symlink_to(path)
    for file, content in re.findall(r"```(?:yaml|python)\n# file: (\S+)\n(.*?)```", PAGE.read_text(), re.DOTALL):
        (root / file).parent.mkdir(exist_ok=True)
        (root / file).write_text(content)
    return root


@pytest.fixture(scope="module")
def prepared(project: Path, prepare: Prepare) -> Prepared:
    done = prepare("flowers", workloads=project / "assets" / "workloads")
    assert done.code == 0, done.log
    return done


def test_the_folder_is_a_workload_beside_the_six(project: Path) -> None:
    assert workload_names(project) == sorted(
        ["bank", "digits", "flowers", "fraud", "mnist-kmeans", "mnist-linear", "penguins"]
    )
    (flowers,) = load_environment("garden", project).workloads
    assert flowers.train.algorithm == "xgboost"
    assert flowers.train.hyperparameters["num_class"] == "3"


def test_it_is_deployed_by_stacks_that_know_nothing_of_it(project: Path) -> None:
    template = synthesise("garden", project).template("workload-flowers")
    (endpoint,) = resources(template, "AWS::SageMaker::Endpoint").values()
    assert endpoint["Properties"]["EndpointConfigName"]
    (dataset,) = resources(template, "Custom::SandcastleDataset").values()
    (trained,) = resources(template, "Custom::SandcastleTrainedModel").values()
    for job in (dataset, trained):
        assert job["Properties"]["JobPrefix"] == "sandcastle-garden--flowers-"


def test_its_data_is_prepared_and_judged_as_the_page_says(project: Path, prepared: Prepared) -> None:
    assert prepared.about["rows"] == {"train": 90, "validation": 30, "test": 30}
    described = read_yaml(project / "assets" / "workloads" / "flowers" / "workload.yaml", "workload.yaml").value
    spec = spec_of(WorkloadFile.model_validate(described).evaluate)
    about = About.parse(prepared.file("about", "about.json").read_bytes())
    test = prepared.file("test", "test.csv").read_bytes()
    plain = plain_model(spec, [("train.csv", prepared.file("train", "train.csv").read_bytes())], test, about)
    assert (plain.marks["accuracy"] or 0) >= 0.9

    def longest_leaf_decides(body: bytes) -> bytes:
        """A model by hand, which answers as built-in XGBoost does for ``multi:softmax``."""
        lengths = np.loadtxt(body.decode().splitlines(), delimiter=",", ndmin=2)[:, 2]
        return "".join(f"{float(kind)}\n" for kind in np.digitize(lengths, [2.5, 4.9])).encode()

    outcome = evaluate("flowers", test, about, spec, longest_leaf_decides)
    assert isinstance(outcome, ClassEvaluation)
    assert outcome.classes == ("setosa", "versicolor", "virginica")
    assert (outcome.counts.accuracy or 0) >= 0.85
