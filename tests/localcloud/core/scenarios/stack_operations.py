"""Operations of stacks: failures, rollbacks, cancellations, updates."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.localcloud.core.scenarios.registry import error_code, scenario
from tests.localcloud.core.stacks import Stack, eventually, function, provider, role, unique

if TYPE_CHECKING:
    from tests.localcloud.conftest import Localcloud


@scenario
def failed_delete_holds_back_its_dependencies(server: Localcloud) -> None:
    name = unique("order")
    stack = Stack(server, name)
    assert stack.create(provider(name, Delete="FAILED")) == "CREATE_COMPLETE", stack.reasons()
    assert stack.delete() == "DELETE_FAILED"
    held = {"Thing": "DELETE_FAILED", "Function": "CREATE_COMPLETE", "Role": "CREATE_COMPLETE"}
    assert stack.statuses() == held
    assert stack.describe()["StackStatusReason"].strip() == "The following resource(s) failed to delete: [Thing]."
    repaired = {"Variables": {"ANSWERS": "{}", "NAME": name}}
    server.client("lambda").update_function_configuration(FunctionName=stack.physical("Function"), Environment=repaired)
    assert stack.delete() == "DELETE_COMPLETE"


@scenario
def failed_create_is_deleted_by_the_rollback(server: Localcloud) -> None:
    name = unique("failing")
    stack = Stack(server, name)
    assert stack.create(provider(name, Create="FAILED")) == "ROLLBACK_COMPLETE"
    assert "on purpose" in stack.reasons()
    told = server.client("ssm").get_parameter(Name=f"/{name}/Delete")["Parameter"]["Value"]
    assert told == f"{name}-thing"


def repair(server: Localcloud, stack: Stack) -> None:
    """Make the provider function of a stack answer SUCCESS to everything."""
    name = stack.physical("Function")
    environment = {"Variables": {"ANSWERS": "{}", "NAME": stack.name}}
    server.client("lambda").update_function_configuration(FunctionName=name, Environment=environment)


#: a resource that cannot be made, after a custom resource was
BROKEN: dict[str, Any] = {
    "Type": "AWS::S3::BucketPolicy",
    "DependsOn": "Thing",
    "Properties": {"Bucket": "nobody-has-this", "PolicyDocument": {"Version": "2012-10-17", "Statement": []}},
}


@scenario
def failed_rollback_keeps_what_it_could_not_delete(server: Localcloud) -> None:
    name, ssm = unique("rollback"), server.client("ssm")
    stack = Stack(server, name)
    assert stack.create({**provider(name, Delete="FAILED"), "Broken": BROKEN}) == "ROLLBACK_FAILED"
    assert stack.describe()["StackStatusReason"].strip() == "The following resource(s) failed to delete: [Thing]."
    held = {"Thing": "DELETE_FAILED", "Function": "CREATE_COMPLETE", "Role": "CREATE_COMPLETE"}
    assert stack.statuses() == held
    assert error_code(lambda: stack.update(provider(name))) == "ValidationError"
    assert stack.delete() == "DELETE_FAILED"
    repair(server, stack)
    function_name = stack.physical("Function")
    assert stack.delete() == "DELETE_COMPLETE"
    assert ssm.get_parameter(Name=f"/{name}/Delete")["Parameter"]["Version"] == 3
    gone = error_code(lambda: server.client("lambda").get_function(FunctionName=function_name))
    assert gone == "ResourceNotFoundException"


@scenario
def failed_update_rollback_can_be_continued_skipped_or_deleted(server: Localcloud) -> None:
    ssm, deletes = server.client("ssm"), {}
    for finish in ("continue", "skip", "delete"):
        name = unique(finish)
        stack, resources = Stack(server, name), provider(name, Update="FAILED", Delete="FAILED")
        assert stack.create(resources) == "CREATE_COMPLETE"
        thing = resources["Thing"]
        new = {**thing, "Type": "Custom::New"}
        changed = {**thing, "DependsOn": "New", "Properties": {**thing["Properties"], "Changed": "yes"}}
        # New is made, Thing fails to change and to change back, and then New fails to be deleted
        assert stack.update({**resources, "New": new, "Thing": changed}) == "UPDATE_ROLLBACK_FAILED"
        if finish == "delete":
            assert stack.statuses().get("New") == "DELETE_FAILED"
            repair(server, stack)
            assert stack.delete() == "DELETE_COMPLETE"
        elif finish == "skip":
            stack.cfn.continue_update_rollback(StackName=name, ResourcesToSkip=["Thing", "New"])
            assert stack.settled() == "UPDATE_ROLLBACK_COMPLETE"
            assert "New" not in stack.statuses()
        else:
            stack.cfn.continue_update_rollback(StackName=name)
            assert stack.settled() == "UPDATE_ROLLBACK_FAILED"
            repair(server, stack)
            stack.cfn.continue_update_rollback(StackName=name)
            assert stack.settled() == "UPDATE_ROLLBACK_COMPLETE"
            assert "New" not in stack.statuses()
        deletes[finish] = ssm.get_parameter(Name=f"/{name}/Delete")["Parameter"]["Version"]
    # the rollback's own, then New and Thing; the rollback's own; the rollback's own and two more
    assert deletes == {"delete": 3, "skip": 1, "continue": 3}


@scenario
def delete_cancels_a_running_create(server: Localcloud) -> None:
    name, ssm = unique("cancel"), server.client("ssm")
    stack = Stack(server, name)
    stack.create(provider(name, Create="SILENT"), wait=False)
    eventually(lambda: ssm.get_parameters(Names=[f"/{name}/Create"])["Parameters"])
    function_name = stack.physical("Function")
    assert stack.delete() == "DELETE_COMPLETE"
    assert ssm.get_parameters(Names=[f"/{name}/Delete"])["Parameters"], "the custom resource was never told"
    gone = error_code(lambda: server.client("lambda").get_function(FunctionName=function_name))
    assert gone == "ResourceNotFoundException"


@scenario
def delete_is_refused_during_an_update(server: Localcloud) -> None:
    name, ssm = unique("busy"), server.client("ssm")
    stack, resources = Stack(server, name), provider(name, Update="SILENT")
    stack.create(resources)
    resources["Thing"]["Properties"] |= {"Changed": "yes", "ServiceTimeout": "2"}
    stack.update(resources, wait=False)
    eventually(lambda: ssm.get_parameters(Names=[f"/{name}/Update"])["Parameters"])
    assert error_code(lambda: stack.cfn.delete_stack(StackName=name)) == "ValidationError"


@scenario
def crashed_provider_is_tried_three_times_and_fails_at_once(server: Localcloud) -> None:
    name = unique("crash")
    stack, resources = Stack(server, name), provider(name, Create="CRASH")
    stack.create(resources, wait=False)
    assert stack.settled(10) == "ROLLBACK_COMPLETE"
    assert "KeyError: 'no answer from me'" in stack.reasons()
    # CloudFormation invokes asynchronously: Lambda tries three times. The parameter is written each time.
    assert server.client("ssm").get_parameter(Name=f"/{name}/Create")["Parameter"]["Version"] == 3


@scenario
def updates_report_only_what_they_change(server: Localcloud) -> None:
    def group(days: int) -> dict[str, Any]:
        return {"Type": "AWS::Logs::LogGroup", "Properties": {"RetentionInDays": days}}

    stack = Stack(server, unique("events"))
    stack.create({"Same": group(1), "Other": group(1)})
    before = len(stack.cfn.describe_stack_events(StackName=stack.name)["StackEvents"])
    assert stack.update({"Same": group(1), "Other": group(3), "New": group(1)}) == "UPDATE_COMPLETE"
    events = stack.cfn.describe_stack_events(StackName=stack.name)["StackEvents"][:-before]
    seen = [(event["LogicalResourceId"], event["ResourceStatus"]) for event in reversed(events)]
    assert set(seen[1:-1]) == {
        ("Other", "UPDATE_IN_PROGRESS"),
        ("Other", "UPDATE_COMPLETE"),
        ("New", "CREATE_IN_PROGRESS"),
        ("New", "CREATE_COMPLETE"),
    }
    broken = role()
    broken["Properties"]["Colour"] = "red"
    assert stack.update({"Same": group(1), "Role": broken}) == "UPDATE_ROLLBACK_COMPLETE"
    events = stack.cfn.describe_stack_events(StackName=stack.name)["StackEvents"]
    assert ("Role", "CREATE_FAILED") in [(e["LogicalResourceId"], e["ResourceStatus"]) for e in events]


@scenario
def imported_exports_are_protected(server: Localcloud) -> None:
    export, bucket = unique("export"), {"Data": {"Type": "AWS::S3::Bucket"}}

    def outputs(value: str) -> dict[str, Any]:
        return {"Name": {"Value": value, "Export": {"Name": export}}}

    exporter, importer, rival = (Stack(server, unique(n)) for n in ("exporter", "importer", "rival"))
    assert exporter.create(bucket, outputs("one")) == "CREATE_COMPLETE"
    parameter = {"Type": "String", "Value": {"Fn::ImportValue": export}}
    assert importer.create({"Copy": {"Type": "AWS::SSM::Parameter", "Properties": parameter}}) == "CREATE_COMPLETE"

    assert rival.create(bucket, outputs("mine")) == "ROLLBACK_COMPLETE"
    assert f"Export with name {export} is already exported by stack {exporter.name}" in rival.reasons()
    assert exporter.update(bucket, outputs("two")) == "UPDATE_ROLLBACK_COMPLETE"
    assert f"Export {export} cannot be updated as it is in use by {importer.name}" in exporter.reasons()
    assert exporter.update(bucket) == "UPDATE_ROLLBACK_COMPLETE"
    assert f"Export {export} cannot be deleted as it is in use by {importer.name}" in exporter.reasons()
    importer.delete()
    assert exporter.update(bucket) == "UPDATE_COMPLETE"
    assert export not in [item["Name"] for item in exporter.cfn.list_exports()["Exports"]]


@scenario
def unmodelled_properties_are_refused_by_name(server: Localcloud) -> None:
    stack = Stack(server, unique("unmodelled"))
    resources = {"Role": role(), "Function": function("def handler(e, c): pass", DeadLetterConfig={"TargetArn": "x"})}
    assert stack.create(resources) == "ROLLBACK_COMPLETE"
    assert "DeadLetterConfig" in stack.reasons()
    other = Stack(server, unique("runtime"))
    resources["Function"] = function("", Runtime="java21")
    assert other.create(resources) == "ROLLBACK_COMPLETE"
    assert "java21" in other.reasons()


@scenario
def subscriptions_and_permissions_need_what_they_name(server: Localcloud) -> None:
    topic = "arn:aws:sns:us-east-1:000000000000:nobody"
    permission = {"FunctionName": "nobody", "Action": "lambda:InvokeFunction", "Principal": "sns.amazonaws.com"}
    subscription = {"TopicArn": topic, "Protocol": "email", "Endpoint": "ml@example.com"}
    for type_name, properties, text in (
        ("AWS::SNS::Subscription", subscription, f"Topic does not exist: {topic}"),
        ("AWS::Lambda::Permission", permission, "Function not found: nobody"),
    ):
        stack = Stack(server, unique("nobody"))
        assert stack.create({"Thing": {"Type": type_name, "Properties": properties}}) == "ROLLBACK_COMPLETE"
        assert text in stack.reasons()
