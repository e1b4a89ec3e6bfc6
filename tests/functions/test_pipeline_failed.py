"""People are told which run failed, and why."""

from __future__ import annotations

import pipeline_failed
import pytest

from tests.functions.conftest import Scripted

ARN = "arn:aws:sagemaker:us-east-1:000000000000:pipeline/p-training/execution/abcdefghijkl"
STEPS = [
    {"StepName": "Prepare", "StepStatus": "Succeeded"},
    {"StepName": "Train", "StepStatus": "Failed", "FailureReason": "AlgorithmError: no data"},
    {"StepName": "Tune", "StepStatus": "Failed"},
    {"StepName": "Later", "StepStatus": "Stopped"},
]


@pytest.mark.parametrize("reason", ["", "Step failure: One or multiple steps failed."])
def test_the_message_names_run_reason_and_failed_steps(sagemaker: Scripted, reason: str) -> None:
    run = {"PipelineExecutionStatus": "Failed", **({"FailureReason": reason} if reason else {})}
    sagemaker.reply("describe_pipeline_execution", {"PipelineExecutionArn": ARN}, run)
    more = {"PipelineExecutionSteps": STEPS[:2], "NextToken": "more"}
    sagemaker.reply("list_pipeline_execution_steps", {"PipelineExecutionArn": ARN}, more)
    rest = {"PipelineExecutionSteps": STEPS[2:]}
    sagemaker.reply("list_pipeline_execution_steps", {"PipelineExecutionArn": ARN, "NextToken": "more"}, rest)
    lines = pipeline_failed.text(sagemaker.client, ARN, "digits", "test").splitlines()
    assert lines == [
        "Workload digits: pipeline p-training, run abcdefghijkl",
        *([f"Reason: {reason}"] if reason else []),
        "Step Train: AlgorithmError: no data",
        "Step Tune: no reason given",
        "",
        "See it: sandcastle pipeline watch digits --environment test",
        "Go on where it stopped: sandcastle pipeline run digits --retry --execution abcdefghijkl --environment test",
    ]


def test_what_a_run_decided_itself_is_not_tried_again(sagemaker: Scripted) -> None:
    sagemaker.reply("describe_pipeline_execution", {"PipelineExecutionArn": ARN}, {})
    step = {
        "StepName": "TooWeak",
        "StepStatus": "Failed",
        "FailureReason": "accuracy 0.4",
        "Metadata": {"Fail": {"ErrorMessage": "accuracy 0.4"}},
    }
    sagemaker.reply("list_pipeline_execution_steps", {"PipelineExecutionArn": ARN}, {"PipelineExecutionSteps": [step]})
    assert pipeline_failed.text(sagemaker.client, ARN, "digits", "test").splitlines()[1:] == [
        "Step TooWeak: accuracy 0.4",
        "",
        "See it: sandcastle pipeline watch digits --environment test",
    ]


def test_the_topic_is_told_about_the_run_of_the_event(
    sagemaker: Scripted, sns: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    clients = {"sagemaker": sagemaker.client, "sns": sns.client}
    monkeypatch.setattr(pipeline_failed, "client", clients.__getitem__)
    for key, value in {"ENVIRONMENT": "test", "WORKLOAD": "digits", "TOPIC_ARN": "arn:aws:sns:us-east-1:0:t"}.items():
        monkeypatch.setenv(key, value)
    sagemaker.reply("describe_pipeline_execution", {"PipelineExecutionArn": ARN}, {"FailureReason": "too weak"})
    sagemaker.reply(
        "list_pipeline_execution_steps", {"PipelineExecutionArn": ARN}, {"PipelineExecutionSteps": STEPS[:1]}
    )
    sns.reply(
        "publish",
        {
            "TopicArn": "arn:aws:sns:us-east-1:0:t",
            "Subject": "Sandcastle test: a run of p-training failed",
            "Message": "Workload digits: pipeline p-training, run abcdefghijkl\nReason: too weak\n\n"
            "See it: sandcastle pipeline watch digits --environment test\n"
            "Go on where it stopped: sandcastle pipeline run digits --retry --execution abcdefghijkl"
            " --environment test",
            "MessageAttributes": {"sandcastle": {"DataType": "String", "StringValue": "test"}},
        },
    )
    event = {"detail": {"pipelineExecutionArn": ARN, "currentPipelineExecutionStatus": "Failed"}}
    pipeline_failed.handler(event, None)
    sns.stub.assert_no_pending_responses()
