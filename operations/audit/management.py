"""What an environment has in the services around it: stacks, logs, alarms, budgets, functions, roles."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from botocore.exceptions import ClientError

from operations.audit.finding import Clients, Finding, Owner
from operations.audit.prices import item_month
from operations.project import ENVIRONMENT_TAG
from operations.stacks import expected_names, tags

_SAGEMAKER_LOGS = "/aws/sagemaker/"
_SHARED_LOGS = ("/aws/sagemaker/TrainingJobs", "/aws/sagemaker/ProcessingJobs")


def stacks(clients: Clients, owner: Owner) -> Iterator[Finding]:
    """Yield every stack; a stack is free, what is in it is listed by its own service."""
    names = expected_names(owner.environment)
    for page in clients.client("cloudformation").get_paginator("describe_stacks").paginate():
        for item in page["Stacks"]:
            name = item["StackName"]
            untagged = ENVIRONMENT_TAG not in tags(item.get("Tags", []))
            why = owner.by_tags(item.get("Tags", [])) or ("name" if untagged and name in names else None)
            if why:
                remove = f"aws cloudformation delete-stack --stack-name {name}"
                yield Finding("cloudformation", "stack", name, item["StackStatus"], 0.0, why, remove)


def log_groups(clients: Clients, owner: Owner) -> Iterator[Finding]:
    """Yield the environment's log groups, and its jobs' streams in the groups that all of an account's jobs share."""
    client = clients.client("logs")
    for page in client.get_paginator("describe_log_groups").paginate():
        for group in page["logGroups"]:
            name = group["logGroupName"]
            if name in _SHARED_LOGS:
                yield from _streams(client, owner, name)
                continue
            why = owner.by_map(_log_tags(client, owner, name)) or (
                owner.by_run_time_name(name.rsplit("/", 1)[-1]) if name.startswith(_SAGEMAKER_LOGS) else None
            )
            if why:
                yield _log_finding(
                    owner,
                    "log group",
                    name,
                    group.get("storedBytes", 0),
                    why,
                    (f"aws logs delete-log-group --log-group-name {name}"),
                )


def _streams(client: Any, owner: Owner, group: str) -> Iterator[Finding]:
    prefix = f"sandcastle-{owner.environment}--"
    pages = client.get_paginator("describe_log_streams").paginate(logGroupName=group, logStreamNamePrefix=prefix)
    for page in pages:
        for stream in page["logStreams"]:
            name = stream["logStreamName"]
            remove = f"aws logs delete-log-stream --log-group-name {group} --log-stream-name {name}"
            yield _log_finding(owner, "log stream", f"{group} {name}", stream.get("storedBytes", 0), "name", remove)


def _log_finding(owner: Owner, kind: str, name: str, size: int, why: str, remove: str) -> Finding:
    usd = item_month(owner.region, "log storage", size / 2**30)
    return Finding("logs", kind, name, f"{size:,} bytes", usd, why, remove, "log storage")


def _log_tags(client: Any, owner: Owner, group: str) -> dict[str, str]:
    arn = f"arn:aws:logs:{owner.region}:{owner.account}:log-group:{group}"
    try:
        found: dict[str, str] = client.list_tags_for_resource(resourceArn=arn).get("tags", {})
        return found
    except ClientError as error:
        if error.response["Error"]["Code"] == "ResourceNotFoundException":
            return {}
        raise


def alarms(clients: Clients, owner: Owner) -> Iterator[Finding]:
    """Yield every metric alarm; each is billed by the month."""
    client = clients.client("cloudwatch")
    for page in client.get_paginator("describe_alarms").paginate():
        for alarm in page.get("MetricAlarms", []):
            why = owner.by_tags(client.list_tags_for_resource(ResourceARN=alarm["AlarmArn"]).get("Tags", []))
            if why:
                name = alarm["AlarmName"]
                usd = item_month(owner.region, "alarm", 1)
                remove = f"aws cloudwatch delete-alarms --alarm-names {name}"
                yield Finding("cloudwatch", "alarm", name, alarm["StateValue"], usd, why, remove)


def budgets(clients: Clients, owner: Owner) -> Iterator[Finding]:
    """Yield every budget; one without actions is free."""
    client = clients.client("budgets")
    for page in client.get_paginator("describe_budgets").paginate(AccountId=owner.account):
        for budget in page.get("Budgets", []):
            name = budget["BudgetName"]
            arn = f"arn:aws:budgets::{owner.account}:budget/{name}"
            why = owner.by_tags(client.list_tags_for_resource(ResourceARN=arn).get("ResourceTags", []))
            if why:
                remove = f"aws budgets delete-budget --account-id {owner.account} --budget-name {name}"
                yield Finding("budgets", "budget", name, "", 0.0, why, remove)


def topics(clients: Clients, owner: Owner) -> Iterator[Finding]:
    """Yield every topic; only messages are billed."""
    client = clients.client("sns")
    for page in client.get_paginator("list_topics").paginate():
        for topic in page["Topics"]:
            arn = topic["TopicArn"]
            why = owner.by_tags(client.list_tags_for_resource(ResourceArn=arn).get("Tags", []))
            if why:
                yield Finding("sns", "topic", arn, "", 0.0, why, f"aws sns delete-topic --topic-arn {arn}")


def functions(clients: Clients, owner: Owner) -> Iterator[Finding]:
    """Yield every function; only runs are billed."""
    client = clients.client("lambda")
    for page in client.get_paginator("list_functions").paginate():
        for function in page["Functions"]:
            name = function["FunctionName"]
            why = owner.by_map(client.list_tags(Resource=function["FunctionArn"]).get("Tags", {}))
            if why:
                remove = f"aws lambda delete-function --function-name {name}"
                yield Finding("lambda", "function", name, "", 0.0, why, remove)


def state_machines(clients: Clients, owner: Owner) -> Iterator[Finding]:
    """Yield every state machine; only transitions are billed."""
    client = clients.client("stepfunctions")
    for page in client.get_paginator("list_state_machines").paginate():
        for machine in page["stateMachines"]:
            arn = machine["stateMachineArn"]
            pairs = client.list_tags_for_resource(resourceArn=arn).get("tags", [])
            why = owner.by_map({pair["key"]: pair["value"] for pair in pairs})
            if why:
                remove = f"aws stepfunctions delete-state-machine --state-machine-arn {arn}"
                yield Finding("states", "state machine", arn, "", 0.0, why, remove)


def roles(clients: Clients, owner: Owner) -> Iterator[Finding]:
    """Yield every role; roles are free."""
    client = clients.client("iam")
    for page in client.get_paginator("list_roles").paginate():
        for role in page["Roles"]:
            name = role["RoleName"]
            why = owner.by_tags(client.list_role_tags(RoleName=name).get("Tags", []))
            if why:
                yield Finding("iam", "role", name, "", 0.0, why, f"aws iam delete-role --role-name {name}")
