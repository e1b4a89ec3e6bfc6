"""Rules of EventBridge: what is refused, what is delivered to whom, and what happens to the rest."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from tests.localcloud.core.scenarios.registry import error_code, scenario
from tests.localcloud.core.stacks import Resources, Stack, eventually, function, role, unique

if TYPE_CHECKING:
    from tests.localcloud.conftest import Localcloud

_ARN = "arn:aws:{}:us-east-1:000000000000:{}"


def _rule(source: str, *targets: dict[str, Any]) -> dict[str, Any]:
    numbered = [{"Id": f"t{number}", **target} for number, target in enumerate(targets)]
    return {"Type": "AWS::Events::Rule", "Properties": {"EventPattern": {"source": [source]}, "Targets": numbered}}


def _queue(name: str, *services: str) -> Resources:
    """A queue that lets these services send."""
    statements = [
        {"Effect": "Allow", "Principal": {"Service": s}, "Action": "sqs:SendMessage", "Resource": "*"} for s in services
    ]
    policy = {"PolicyDocument": {"Version": "2012-10-17", "Statement": statements}, "Queues": [{"Ref": name}]}
    return {
        name: {"Type": "AWS::SQS::Queue", "Properties": {}},
        **({f"{name}Policy": {"Type": "AWS::SQS::QueuePolicy", "Properties": policy}} if services else {}),
    }


def _put(server: Localcloud, source: str) -> None:
    entry = {"Source": source, "DetailType": "test", "Detail": json.dumps({"from": source})}
    assert server.client("events").put_events(Entries=[entry])["FailedEntryCount"] == 0


def _received(server: Localcloud, url: str) -> dict[str, Any]:
    def receive() -> Any:
        return server.client("sqs").receive_message(QueueUrl=url, MessageAttributeNames=["All"]).get("Messages")

    found: dict[str, Any] = eventually(receive, 5)[0]
    return found


@scenario
def targets_are_asked_before_an_event_is_delivered(server: Localcloud) -> None:
    """Not allowed: no delivery, the event is in the dead-letter queue, and the rule counts a failure."""
    source, sqs = unique("source"), server.client("sqs")
    stack = Stack(server, unique("asked"))
    closed, open_ = ({"Fn::GetAtt": [name, "Arn"]} for name in ("Closed", "Open"))
    letters = {"DeadLetterConfig": {"Arn": {"Fn::GetAtt": ["Letters", "Arn"]}}}
    resources = {
        **_queue("Closed"),
        **_queue("Open", "events.amazonaws.com"),
        **_queue("Letters", "events.amazonaws.com"),
        "Role": role(),
        "Function": function("def handler(event, context): pass"),
        "Rule": _rule(
            source,
            {"Arn": closed, **letters},
            {"Arn": {"Fn::GetAtt": ["Function", "Arn"]}, **letters},
            {"Arn": _ARN.format("sns", "no-such-topic"), **letters},
            {"Arn": open_},
        ),
    }
    assert stack.create(resources) == "CREATE_COMPLETE", stack.reasons()
    _put(server, source)
    delivered = json.loads(_received(server, stack.physical("Open"))["Body"])
    assert delivered["detail"] == {"from": source}
    codes = {}
    for _ in range(3):
        letter = _received(server, stack.physical("Letters"))
        assert json.loads(letter["Body"])["detail"] == {"from": source}
        known = {name: value["StringValue"] for name, value in letter["MessageAttributes"].items()}
        codes[known["TARGET_ARN"].split(":")[2]] = known["ERROR_CODE"]
    assert codes == {"sqs": "NO_PERMISSIONS", "lambda": "NO_PERMISSIONS", "sns": "NO_RESOURCE"}
    assert "Messages" not in sqs.receive_message(QueueUrl=stack.physical("Closed"))
    metrics = server.client("cloudwatch").list_metrics(Namespace="AWS/Events", MetricName="FailedInvocations")
    rules = [dimension["Value"] for metric in metrics["Metrics"] for dimension in metric["Dimensions"]]
    assert stack.physical("Rule") in rules


@scenario
def a_function_that_fails_on_an_event_is_tried_again(server: Localcloud) -> None:
    source, name, ssm = unique("source"), unique("tries"), server.client("ssm")
    stack = Stack(server, name)
    code = (
        "import boto3\n"
        "def handler(event, context):\n"
        f"    if boto3.client('ssm').put_parameter(Name='/{name}', Value='x', Type='String', Overwrite=True)"
        "['Version'] < 2:\n"
        "        raise RuntimeError('not yet')\n"
        f"    boto3.client('ssm').put_parameter(Name='/{name}/done', Value=event['source'], Type='String')"
    )
    permission = {
        "FunctionName": {"Ref": "Function"},
        "Action": "lambda:InvokeFunction",
        "Principal": "events.amazonaws.com",
        "SourceArn": {"Fn::GetAtt": ["Rule", "Arn"]},
    }
    resources = {
        "Role": role({"Effect": "Allow", "Action": "ssm:PutParameter", "Resource": "*"}),
        "Function": function(code),
        "Rule": _rule(source, {"Arn": {"Fn::GetAtt": ["Function", "Arn"]}}),
        "Permission": {"Type": "AWS::Lambda::Permission", "Properties": permission},
    }
    assert stack.create(resources) == "CREATE_COMPLETE", stack.reasons()
    _put(server, source)
    eventually(lambda: ssm.get_parameters(Names=[f"/{name}/done"])["Parameters"])


@scenario
def a_rule_with_targets_is_not_deleted(server: Localcloud) -> None:
    events, name = server.client("events"), unique("rule")
    events.put_rule(Name=name, EventPattern='{"source": ["x"]}')
    events.put_targets(Rule=name, Targets=[{"Id": "a", "Arn": _ARN.format("sqs", "queue")}])
    assert error_code(lambda: events.delete_rule(Name=name)) == "ValidationException"
    events.remove_targets(Rule=name, Ids=["a"])
    events.delete_rule(Name=name)


@scenario
def a_stack_with_a_rule_that_cannot_work_fails(server: Localcloud) -> None:
    wrong = {
        "Event pattern is not valid": {"EventPattern": {"source": "not-a-list"}},
        "EventPattern or ScheduleExpression": {},
        "not a supported service": {"EventPattern": {"source": ["x"]}, "Targets": [_target("dynamodb")]},
        "a target of service kinesis": {"EventPattern": {"source": ["x"]}, "Targets": [_target("kinesis")]},
        "EcsParameters of a target": {
            "EventPattern": {"source": ["x"]},
            "Targets": [_target("lambda") | {"EcsParameters": {}}],
        },
    }
    for reason, properties in wrong.items():
        stack = Stack(server, unique("wrong"))
        assert stack.create({"Rule": {"Type": "AWS::Events::Rule", "Properties": properties}}) == "ROLLBACK_COMPLETE"
        assert reason in stack.reasons()


def _target(service: str) -> dict[str, Any]:
    return {"Id": "a", "Arn": _ARN.format(service, "some:thing")}
