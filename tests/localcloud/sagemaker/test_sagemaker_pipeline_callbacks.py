"""Callback steps: the message, the two answers, a stop, and tokens that are wrong."""

from __future__ import annotations

from tests.localcloud.sagemaker import pipeline_parts as parts
from tests.localcloud.sagemaker.pipeline_parts import QUEUE, get
from tests.localcloud.sagemaker.pipeline_runs import describe, start, step, steps, stop, wait_for, wait_for_end
from tests.localcloud.sagemaker.scripted_backend import SCOPE, World


def asked(world: World) -> tuple[str, str]:
    """The execution of a pipeline whose callback step waits, and its token."""
    told = parts.fail("told", {"Std:Join": {"On": " ", "Values": ["got", get("Steps.ask.OutputParameters['n']")]}})
    parts.create(world, parts.callback("ask", {"pipeline": get("Execution.PipelineName"), "x": 1}, n="Integer"), told)
    arn = start(world)
    world.wait_until(lambda: bool(world.backend.messages))
    wait_for(world, arn, ask="Executing")
    return arn, str(world.backend.messages[0][1]["token"])


def answer(world: World, token: str, value: str = "5", client: str = "c") -> str:
    reply = world.call(
        "SendPipelineExecutionStepSuccess",
        CallbackToken=token,
        OutputParameters=[{"Name": "n", "Value": value}],
        ClientRequestToken=client * 32,
    )
    return str(reply["PipelineExecutionArn"])


def test_success(world: World) -> None:
    arn, token = asked(world)
    message = {"token": token, "pipelineExecutionArn": arn, "arguments": {"pipeline": "pipeline", "x": 1}}
    assert world.backend.messages == [(QUEUE, {**message, "status": "Executing"})]
    assert step(world, arn, "ask")["Metadata"]["Callback"] == {"CallbackToken": token, "SqsQueueUrl": QUEUE}
    assert answer(world, token) == arn
    wait_for_end(world, arn)
    assert step(world, arn, "told")["FailureReason"] == "got 5"
    assert step(world, arn, "ask")["Metadata"]["Callback"]["OutputParameters"] == [{"Name": "n", "Value": "5"}]


def test_failure(world: World) -> None:
    arn, token = asked(world)
    world.call("SendPipelineExecutionStepFailure", CallbackToken=token, FailureReason="no", ClientRequestToken="f" * 32)
    assert wait_for_end(world, arn)["PipelineExecutionStatus"] == "Failed"
    assert step(world, arn, "ask")["FailureReason"] == "ClientError: no"


def test_a_stop_sends_another_message_and_waits(world: World) -> None:
    arn, token = asked(world)
    stop(world, arn)
    world.wait_until(lambda: len(world.backend.messages) == 2)
    assert world.backend.messages[1][1]["status"] == "Stopping"
    assert describe(world, arn)["PipelineExecutionStatus"] == "Stopping"
    answer(world, token)
    assert wait_for_end(world, arn)["PipelineExecutionStatus"] == "Stopped"
    assert set(steps(world, arn)) == {"ask"}


def test_answers_that_are_wrong(world: World) -> None:
    _, token = asked(world)
    unknown = {"CallbackToken": "x" * 10, "ClientRequestToken": "c" * 32}
    assert world.refusal("SendPipelineExecutionStepSuccess", **unknown).code == "ResourceNotFound"
    assert world.refusal("SendPipelineExecutionStepFailure", **unknown).code == "ResourceNotFound"
    bad = {"CallbackToken": token, "OutputParameters": [{"Name": "n", "Value": "many"}], "ClientRequestToken": "c" * 32}
    assert "is not of type Integer" in world.refusal("SendPipelineExecutionStepSuccess", **bad).message


def test_an_answer_counts_once(world: World) -> None:
    arn, token = asked(world)
    stop(world, arn)  # the execution stays while the test answers again
    answer(world, token)
    assert answer(world, token) == arn  # the same call once more
    another = {"CallbackToken": token, "ClientRequestToken": "d" * 32}
    assert world.refusal("SendPipelineExecutionStepFailure", **another).code == "ConflictException"


def test_both_answers_are_authorised_on_the_execution(world: World) -> None:
    arn, token = asked(world)
    for operation in ("SendPipelineExecutionStepSuccess", "SendPipelineExecutionStepFailure"):
        served = world.service.operations[operation]
        assert served.resource_arn({"CallbackToken": token}, SCOPE) == arn
        assert served.resource_arn({"CallbackToken": "unknown"}, SCOPE) == "*"


def test_a_queue_that_the_role_may_not_use(world: World) -> None:
    parts.create(world, {**parts.callback("ask", {}), "SqsQueueUrl": "https://denied"})
    arn = start(world)
    assert wait_for_end(world, arn)["PipelineExecutionStatus"] == "Failed"
    reason = step(world, arn, "ask")["FailureReason"]
    assert reason == "ClientError: Failed to invoke sqs:SendMessage on https://denied. Error Details: AccessDenied: no"


def test_tokens_of_executions_that_are_over_are_forgotten(world: World) -> None:
    count = 3
    parts.create(world, parts.callback("ask", {}, n="Integer"))
    for number in range(count):
        start(world, token=str(number))
    world.wait_until(lambda: len(world.backend.messages) == count)
    tokens = [message["token"] for _, message in world.backend.messages]
    for token in tokens:
        wait_for_end(world, answer(world, token))
    start(world, token="last")
    world.wait_until(lambda: len(world.backend.messages) == count + 1)  # a new token comes after the old ones are gone
    for token in tokens:
        asked_again = {"CallbackToken": token, "ClientRequestToken": "c" * 32}
        assert world.refusal("SendPipelineExecutionStepSuccess", **asked_again).code == "ResourceNotFound"
