"""Image URIs to runners."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from localcloud.jobs import builtin_metrics, images
from tests.localcloud.jobs.cloud import (
    GROUND_TRUTH_MERGER,
    KMEANS,
    LINEAR_LEARNER,
    MODEL_MONITOR,
    PYTORCH_INFERENCE,
    PYTORCH_TRAINING,
    RUNNERS,
    SKLEARN,
    XGBOOST,
)


@pytest.mark.parametrize(
    ("image", "name", "environment"),
    [
        (XGBOOST, "xgboost", "classic"),
        ("683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1", "xgboost", "classic"),
        ("141502667606.dkr.ecr.eu-west-1.amazonaws.com/sagemaker-xgboost@sha256:" + "0" * 64, "xgboost", "classic"),
        ("450853457545.dkr.ecr.cn-north-1.amazonaws.com.cn/sagemaker-xgboost:1.7-1", "xgboost", "classic"),
        (LINEAR_LEARNER, "linear-learner", "classic"),
        (KMEANS, "kmeans", "classic"),
        (SKLEARN, "scikit-learn", "classic"),
        (PYTORCH_TRAINING, "pytorch", "pytorch"),
        (PYTORCH_INFERENCE, "pytorch", "pytorch"),
        (MODEL_MONITOR, "model-monitor", "classic"),
        (GROUND_TRUTH_MERGER, "groundtruth-merger", "classic"),
    ],
)
def test_known_images(image: str, name: str, environment: str) -> None:
    runner = images.resolve(image)
    assert (runner.name, runner.environment) == (name, environment)
    assert runner.python == RUNNERS.resolve() / environment / "bin" / "python"
    commands = [each for each in (runner.train_command, runner.serve_command, runner.process_command) if each]
    for command in commands:
        assert Path(command[-1]).is_file()
    # PyTorch comes as an image for each, and what monitors models does nothing else
    assert len(commands) == (1 if name in ("pytorch", "model-monitor", "groundtruth-merger") else 2)


@pytest.mark.parametrize(
    "image",
    [
        "sagemaker-xgboost:1.7-1",
        "docker.io/library/python:3.13",
        "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-tensorflow:2.14",
        "683313688378.dkr.ecr.us-east-1.amazonaws.com/my/sagemaker-xgboost:1",
        "",
    ],
)
def test_unknown_images_fail_loudly(image: str) -> None:
    with pytest.raises(images.UnknownImage) as caught:
        images.resolve(image)
    text = str(caught.value)
    assert image in text
    for pattern in images.known_patterns():
        assert pattern in text


@pytest.mark.parametrize(
    ("runner", "line", "found"),
    [
        (
            "xgboost",
            "[0]#011train-error:0.077154#011validation-error:0.099099",
            {"train:error": "0.077154", "validation:error": "0.099099"},
        ),
        (
            "xgboost",
            "[12]#011train-auc:0.92188#011validation-auc:0.91031",
            {"train:auc": "0.92188", "validation:auc": "0.91031"},
        ),
        ("xgboost", "[0]\ttrain-auc:0.92188", {}),
        (
            "linear-learner",
            "[11/24/2020 18:53:56 INFO 1] #quality_metric: host=algo-1, epoch=0, train "
            "binary_classification_cross_entropy_objective <loss>=0.595682421003",
            {"train:objective_loss": "0.595682421003"},
        ),
        (
            "linear-learner",
            "[07/17/2024 19:38:23 INFO 1] #quality_metric: host=algo-1, validation multiclass_accuracy <score>=0.93965",
            {"validation:multiclass_accuracy": "0.93965"},
        ),
        (
            "linear-learner",
            "#quality_metric: host=algo-1, validation binary_f_1.000 <score>=0.5",
            {"validation:binary_f_beta": "0.5"},
        ),
        ("linear-learner", "#progress_metric: host=algo-1, completed 93 % of epochs", {"train:progress": "93"}),
        (
            "kmeans",
            "[05/16/2021 12:27:47 INFO 1] #quality_metric: host=algo-1, train msd <loss>=0.06404909491539001",
            {"train:msd": "0.06404909491539001"},
        ),
        ("kmeans", "#progress_metric: host=algo-1, completed 100.0 % of epochs", {"train:progress": "100.0"}),
        (
            "linear-learner",
            "#throughput_metric: host=algo-1, train throughput=22320.2 records/second",
            {"train:throughput": "22320.2"},
        ),
    ],
)
def test_metric_definitions_read_real_log_lines(runner: str, line: str, found: dict[str, str]) -> None:
    """The lines are from logs of AWS runs that their owners published."""
    matches = {
        each["Name"]: match[1]
        for each in builtin_metrics.DEFINITIONS[runner]
        if (match := re.search(each["Regex"], line))
    }
    assert matches == found
