"""EventBridge Scheduler on the virtual clock, with its targets called under the schedule's role."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from tests.localcloud.conftest import started
from tests.localcloud.core.stacks import Resources, Stack, eventually, function, role, unique

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.localcloud.conftest import Localcloud

pytestmark = pytest.mark.localcloud

OFF = {"Mode": "OFF"}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Localcloud]:
    """One whose clock moves only when a test says so."""
    with started(tmp_path_factory.mktemp("scheduler"), {"LOCALCLOUD_CLOCK": "manual"}) as running:
        yield running


def now(server: Localcloud) -> float:
    return float(server.admin("GET", "clock")["now"])


def advance(server: Localcloud, seconds: float) -> None:
    server.admin("POST", "clock", {"advance_seconds": seconds})


def at(server: Localcloud, seconds: float) -> str:
    """An expression for so many seconds from now."""
    return f"at({datetime.fromtimestamp(int(now(server) + seconds), UTC):%Y-%m-%dT%H:%M:%S})"


def scheduler_role(server: Localcloud, *statements: dict[str, Any], service: str = "scheduler.amazonaws.com") -> str:
    stack = Stack(server, unique("role"))
    assert stack.create({"Role": role(*statements, service=service)}) == "CREATE_COMPLETE"
    return f"arn:aws:iam::000000000000:role/{stack.physical('Role')}"


class Queue:
    """A queue that a role may send to."""

    def __init__(self, server: Localcloud) -> None:
        self._sqs, name = server.client("sqs"), unique("queue")
        self.url = self._sqs.create_queue(QueueName=name)["QueueUrl"]
        self.arn = f"arn:aws:sqs:us-east-1:000000000000:{name}"
        self.role = scheduler_role(server, {"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": self.arn})

    def target(self, **more: Any) -> dict[str, Any]:
        return {"Arn": self.arn, "RoleArn": self.role, "Input": "hello", **more}

    def messages(self) -> list[dict[str, Any]]:
        """Everything in it, taken out."""
        found: list[dict[str, Any]] = []
        while batch := self._sqs.receive_message(
            QueueUrl=self.url, MaxNumberOfMessages=10, MessageAttributeNames=["All"]
        ).get("Messages"):
            found += batch
            for message in batch:
                self._sqs.delete_message(QueueUrl=self.url, ReceiptHandle=message["ReceiptHandle"])
        return found

    def lets_in(self, service: str) -> None:
        """Let a service send to it."""
        statement = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sqs:SendMessage", "Resource": "*"}
        policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        self._sqs.set_queue_attributes(QueueUrl=self.url, Attributes={"Policy": policy})

    def bodies(self) -> list[str]:
        return [str(message["Body"]) for message in self.messages()]


def code(call: Any) -> str:
    with pytest.raises(ClientError) as caught:
        call()
    return f"{caught.value.response['Error']['Code']}: {caught.value.response['Error']['Message']}"


def test_once_and_then_gone(server: Localcloud) -> None:
    api, queue, name = server.client("scheduler"), Queue(server), unique("once")
    for kept in ("NONE", "DELETE"):
        api.create_schedule(
            Name=f"{name}-{kept}",
            ScheduleExpression=at(server, 600),
            FlexibleTimeWindow=OFF,
            ActionAfterCompletion=kept,
            Target=queue.target(Input=kept),
        )
    advance(server, 590)
    assert queue.bodies() == []
    advance(server, 20)
    assert sorted(queue.bodies()) == ["DELETE", "NONE"]
    advance(server, 7200)
    assert queue.bodies() == []
    assert [s["Name"] for s in api.list_schedules(NamePrefix=name)["Schedules"]] == [f"{name}-NONE"]
    assert "ResourceNotFoundException" in code(partial(api.get_schedule, Name=f"{name}-DELETE"))


def test_a_rate_runs_at_once_and_between_its_dates(server: Localcloud) -> None:
    api, queue, start = server.client("scheduler"), Queue(server), now(server)
    text = "rate(10 minutes)"
    api.create_schedule(Name=unique("rate"), ScheduleExpression=text, FlexibleTimeWindow=OFF, Target=queue.target())
    api.create_schedule(
        Name=unique("dated"),
        ScheduleExpression=text,
        FlexibleTimeWindow=OFF,
        Target=queue.target(Input="<aws.scheduler.scheduled-time>"),
        StartDate=start + 3600,
        EndDate=start + 3600 + 1200,
    )
    assert eventually(queue.bodies) == ["hello"]
    advance(server, 1799)
    assert queue.bodies() == ["hello"] * 2
    advance(server, 7200)
    dated = [body for body in queue.bodies() if body != "hello"]
    first = f"{datetime.fromtimestamp(start + 3600, UTC):%Y-%m-%dT%H:%M:%SZ}"
    assert dated[0] == first
    assert len(dated) == 3


def test_a_cron_runs_at_the_times_of_its_zone(server: Localcloud) -> None:
    api, queue = server.client("scheduler"), Queue(server)
    api.create_schedule(
        Name=unique("nightly"),
        ScheduleExpression="cron(0 20 * * ? *)",
        ScheduleExpressionTimezone="Asia/Kolkata",
        FlexibleTimeWindow=OFF,
        Target=queue.target(Input="<aws.scheduler.scheduled-time>"),
    )
    advance(server, 2 * 86400)
    assert [body[11:] for body in queue.bodies()] == ["14:30:00Z", "14:30:00Z"]


def test_a_disabled_one_does_not_run_until_it_is_enabled(server: Localcloud) -> None:
    api, queue, name = server.client("scheduler"), Queue(server), unique("state")
    settings = {"Name": name, "FlexibleTimeWindow": OFF, "Target": queue.target()}
    api.create_schedule(ScheduleExpression="rate(1 hour)", State="DISABLED", **settings)
    advance(server, 7200)
    assert queue.bodies() == []
    api.update_schedule(ScheduleExpression="rate(2 hours)", **settings)
    assert api.get_schedule(Name=name)["State"] == "ENABLED"
    advance(server, 7200)
    assert queue.bodies() == ["hello"]
    api.delete_schedule(Name=name)
    advance(server, 7200)
    assert queue.bodies() == []


def test_universal_targets_act_as_the_role_and_are_denied_without_permission(server: Localcloud) -> None:
    api, stack = server.client("scheduler"), Stack(server, unique("doomed"))
    assert stack.create({"Data": {"Type": "AWS::S3::Bucket"}}) == "CREATE_COMPLETE"
    arn = f"arn:aws:cloudformation:us-east-1:000000000000:stack/{stack.name}/*"
    roles = [
        scheduler_role(server, {"Effect": "Allow", "Action": action, "Resource": arn})
        for action in ("cloudformation:DescribeStacks", "cloudformation:DeleteStack")
    ]
    for number, role_arn in enumerate(roles):
        api.create_schedule(
            Name=f"{stack.name}-{number}",
            ScheduleExpression=at(server, 60 + 60 * number),
            FlexibleTimeWindow=OFF,
            Target={
                "Arn": "arn:aws:scheduler:::aws-sdk:cloudformation:deleteStack",
                "RoleArn": role_arn,
                "Input": json.dumps({"StackName": stack.name}),
                "RetryPolicy": {"MaximumRetryAttempts": 0},
            },
        )
    identifier = stack.describe()["StackId"]
    advance(server, 90)
    assert stack.status() == "CREATE_COMPLETE"
    advance(server, 60)
    eventually(lambda: stack.cfn.describe_stacks(StackName=identifier)["Stacks"][0]["StackStatus"] == "DELETE_COMPLETE")
    decisions = {
        (call["role"], call["decision"])
        for call in server.admin("GET", "calls")
        if call["action"] == "cloudformation:DeleteStack" and stack.name in call["resource"]
    }
    assert decisions == {(roles[0].split("/")[1], "denied"), (roles[1].split("/")[1], "allowed")}


def test_universal_targets_reach_other_services(server: Localcloud) -> None:
    name, sns = unique("universal"), server.client("sns")
    topic = sns.create_topic(Name=name)["TopicArn"]
    caller = scheduler_role(
        server,
        {"Effect": "Allow", "Action": "sagemaker:CreateModelPackageGroup", "Resource": "*"},
        {"Effect": "Allow", "Action": "sns:DeleteTopic", "Resource": topic},
    )
    for target, request in (
        ("sagemaker:createModelPackageGroup", {"ModelPackageGroupName": name}),
        ("sns:deleteTopic", {"TopicArn": topic}),
    ):
        server.client("scheduler").create_schedule(
            Name=unique("universal"),
            ScheduleExpression=at(server, 30),
            FlexibleTimeWindow=OFF,
            Target={"Arn": f"arn:aws:scheduler:::aws-sdk:{target}", "RoleArn": caller, "Input": json.dumps(request)},
        )
    advance(server, 31)
    groups = server.client("sagemaker").list_model_package_groups(NameContains=name)["ModelPackageGroupSummaryList"]
    assert [group["ModelPackageGroupName"] for group in groups] == [name]
    assert topic not in [item["TopicArn"] for item in sns.list_topics()["Topics"]]


def test_a_failed_call_is_repeated_and_then_given_up(server: Localcloud) -> None:
    api, queue, start = server.client("scheduler"), Queue(server), now(server)
    target = {
        "Arn": "arn:aws:sns:us-east-1:000000000000:not-there-yet",
        "RoleArn": queue.role,
        "DeadLetterConfig": {"Arn": queue.arn},
        "RetryPolicy": {"MaximumRetryAttempts": 2},
    }
    api.create_schedule(
        Name=unique("failing"), ScheduleExpression=at(server, 60), FlexibleTimeWindow=OFF, Target=target
    )
    advance(server, 60 + 60)
    assert queue.messages() == []
    advance(server, 121)
    (letter,) = queue.messages()
    attributes = {name: value["StringValue"] for name, value in letter["MessageAttributes"].items()}
    assert attributes["RETRY_ATTEMPTS"] == "2"
    assert attributes["ERROR_CODE"] == "AuthorizationError"
    calls = [c for c in server.admin("GET", "calls") if c["resource"].endswith(":not-there-yet")]
    assert sum(call["count"] for call in calls) == 3
    assert now(server) - start == pytest.approx(241, abs=2)


def test_a_group_takes_its_schedules_with_it(server: Localcloud) -> None:
    api, queue, name = server.client("scheduler"), Queue(server), unique("group")
    api.create_schedule_group(Name=name, Tags=[{"Key": "sandcastle:environment", "Value": name}])
    for number in range(3):
        api.create_schedule(
            Name=f"s{number}",
            GroupName=name,
            ScheduleExpression="rate(1 hour)",
            FlexibleTimeWindow=OFF,
            State="DISABLED",
            Target=queue.target(),
        )
    pages = list(api.get_paginator("list_schedules").paginate(GroupName=name, PaginationConfig={"PageSize": 2}))
    assert [len(page["Schedules"]) for page in pages] == [2, 1]
    found = server.client("resourcegroupstaggingapi").get_resources(
        TagFilters=[{"Key": "sandcastle:environment", "Values": [name]}]
    )["ResourceTagMappingList"]
    assert [item["ResourceARN"] for item in found] == [api.get_schedule_group(Name=name)["Arn"]]
    api.delete_schedule_group(Name=name)
    assert api.get_schedule_group(Name=name)["State"] == "DELETING"
    advance(server, 60)
    assert "ResourceNotFoundException" in code(partial(api.get_schedule_group, Name=name))
    assert "ResourceNotFoundException" in code(partial(api.get_schedule, Name="s0", GroupName=name))


def test_what_cannot_run_is_refused(server: Localcloud) -> None:
    api, queue = server.client("scheduler"), Queue(server)
    foreign = scheduler_role(server, service="lambda.amazonaws.com")
    universal = "arn:aws:scheduler:::aws-sdk:"
    for target, says in (
        (queue.target(RoleArn=foreign), "must allow AWS EventBridge Scheduler to assume the role"),
        (queue.target(Arn=f"{universal}sagemaker:listApps"), "read-only"),
        (queue.target(Arn=f"{universal}sagemaker:makeCoffee"), "does not exist"),
        (queue.target(Arn=f"{universal}glue:startJobRun"), "not supported yet"),
        (queue.target(Arn=f"{universal}cloudformation:deleteStack", Input='{"stackName": "x"}'), "stackName"),
        (queue.target(Arn="arn:aws:events:us-east-1:000000000000:event-bus/x"), "not supported yet"),
    ):
        make = partial(api.create_schedule, Name=unique("no"), FlexibleTimeWindow=OFF, Target=target)
        assert says in code(partial(make, ScheduleExpression="rate(1 day)"))
    make = partial(api.create_schedule, Name=unique("no"), FlexibleTimeWindow=OFF, Target=queue.target())
    for expression in ("rate(1 fortnight)", "at(2020-01-01T00:00:00)"):
        assert f"ValidationException: Invalid Schedule Expression {expression}" in code(
            partial(make, ScheduleExpression=expression)
        )
    server.admin("POST", "switches", {"past-schedule": "accept"})
    make(ScheduleExpression="at(2020-01-01T00:00:00)")
    server.admin("POST", "switches", {"past-schedule": "refuse"})


def test_whoever_makes_a_schedule_must_be_allowed_to_pass_its_role(server: Localcloud) -> None:
    queue, group = Queue(server), unique("mine")
    server.client("scheduler").create_schedule_group(Name=group)
    arn = f"arn:aws:scheduler:us-east-1:000000000000:schedule/{group}/*"
    create = {"Effect": "Allow", "Action": "scheduler:CreateSchedule", "Resource": arn}
    passing = {
        "Effect": "Allow",
        "Action": "iam:PassRole",
        "Resource": queue.role,
        "Condition": {"StringEquals": {"iam:PassedToService": "scheduler.amazonaws.com"}},
    }
    settings = {"ScheduleExpression": "rate(1 day)", "State": "DISABLED", "FlexibleTimeWindow": OFF}
    for statements, says in (([create], "iam:PassRole"), ([create, passing], "")):
        trusting, stack = role(*statements), Stack(server, unique("maker"))
        trusting["Properties"]["AssumeRolePolicyDocument"]["Statement"][0]["Principal"] = {"AWS": "*"}
        stack.create({"Role": trusting})
        session = server.client("sts").assume_role(
            RoleArn=f"arn:aws:iam::000000000000:role/{stack.physical('Role')}", RoleSessionName="test"
        )
        client = server.client("scheduler", session["Credentials"])
        make = partial(client.create_schedule, Name=unique("s"), Target=queue.target(), **settings)
        if says:
            assert says in code(partial(make, GroupName=group))
            assert "scheduler:CreateSchedule" in code(make)
        else:
            make(GroupName=group)


def test_both_types_are_made_changed_and_deleted_by_a_stack(server: Localcloud) -> None:
    api, queue, stack = server.client("scheduler"), Queue(server), Stack(server, unique("schedules"))

    def resources(expression: str, tag: str) -> Resources:
        properties = {
            "GroupName": {"Ref": "Group"},
            "ScheduleExpression": expression,
            "ScheduleExpressionTimezone": "Europe/Berlin",
            "StartDate": "2020-01-01T00:00:00Z",
            "State": "DISABLED",
            "FlexibleTimeWindow": OFF,
            "Target": queue.target(RetryPolicy={"MaximumRetryAttempts": 3}),
        }
        tags = [{"Key": "kind", "Value": tag}]
        return {
            "Group": {"Type": "AWS::Scheduler::ScheduleGroup", "Properties": {"Tags": tags}},
            "Nightly": {"Type": "AWS::Scheduler::Schedule", "Properties": properties},
        }

    outputs = {"Arn": {"Value": {"Fn::GetAtt": ["Nightly", "Arn"]}}}
    assert stack.create(resources("cron(0 20 * * ? *)", "one"), outputs) == "CREATE_COMPLETE", stack.reasons()
    group, name = stack.physical("Group"), stack.physical("Nightly")
    found = api.get_schedule(Name=name, GroupName=group)
    assert found["Arn"] == stack.describe()["Outputs"][0]["OutputValue"]
    assert found["ScheduleExpressionTimezone"] == "Europe/Berlin"
    assert found["StartDate"].year == 2020
    assert found["Target"]["RetryPolicy"] == {"MaximumRetryAttempts": 3}
    assert stack.update(resources("cron(0 21 * * ? *)", "two"), outputs) == "UPDATE_COMPLETE", stack.reasons()
    assert api.get_schedule(Name=name, GroupName=group)["ScheduleExpression"] == "cron(0 21 * * ? *)"
    tags = api.list_tags_for_resource(ResourceArn=api.get_schedule_group(Name=group)["Arn"])["Tags"]
    assert {"Key": "kind", "Value": "two"} in tags
    broken = resources("cron(0 21 * * ? *)", "two")
    broken["Nightly"]["Properties"]["ActionAfterCompletion"] = "DELETE"
    assert stack.update(broken, outputs) == "UPDATE_ROLLBACK_COMPLETE"
    assert "ActionAfterCompletion" in stack.reasons()
    stack.cfn.delete_stack(StackName=stack.name)
    eventually(lambda: api.get_schedule_group(Name=group)["State"] == "DELETING")
    advance(server, 60)
    assert "does not exist" in eventually(lambda: code(partial(api.get_schedule_group, Name=group)))


def test_a_function_is_invoked_and_a_topic_is_told(server: Localcloud) -> None:
    queue, topic = Queue(server), unique("topic")
    sns = server.client("sns")
    arn = sns.create_topic(Name=topic)["TopicArn"]
    queue.lets_in("sns.amazonaws.com")
    sns.subscribe(TopicArn=arn, Protocol="sqs", Endpoint=queue.arn, Attributes={"RawMessageDelivery": "true"})
    name = unique("woken")
    code_text = (
        "import boto3, os\n"
        "def handler(event, context):\n"
        "    said = event['detail-type']\n"
        "    boto3.client('ssm').put_parameter(Name='/' + os.environ['NAME'], Value=said, Type='String')"
    )
    stack = Stack(server, name)
    allowed = {"Effect": "Allow", "Action": "ssm:PutParameter", "Resource": "*"}
    resources: Resources = {"Role": role(allowed), "Function": function(code_text, {"NAME": name}, FunctionName=name)}
    assert stack.create(resources) == "CREATE_COMPLETE"
    function_arn = f"arn:aws:lambda:us-east-1:000000000000:function:{name}"
    caller = scheduler_role(
        server,
        {"Effect": "Allow", "Action": "lambda:InvokeFunction", "Resource": function_arn},
        {"Effect": "Allow", "Action": "sns:Publish", "Resource": arn},
    )
    for target in ({"Arn": function_arn}, {"Arn": arn, "Input": "<aws.scheduler.schedule-arn>"}):
        server.client("scheduler").create_schedule(
            Name=unique("wake"),
            ScheduleExpression=at(server, 60),
            FlexibleTimeWindow=OFF,
            Target={**target, "RoleArn": caller},
        )
    advance(server, 61)
    (body,) = eventually(queue.bodies)
    assert body.startswith("arn:aws:scheduler:us-east-1:000000000000:schedule/default/wake-")
    ssm = server.client("ssm")
    (parameter,) = eventually(lambda: ssm.get_parameters(Names=[f"/{name}"])["Parameters"])
    assert parameter["Value"] == "Scheduled Event"
