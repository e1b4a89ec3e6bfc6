"""What an environment has in services where a thing is listed, asked for its tags and removed: a row for each kind."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from operations.audit.finding import Finding
from operations.audit.survey import Collector, Survey
from operations.stacks import tags

Tags = dict[str, str]


@dataclass(frozen=True)
class Kind:
    """One kind. ``listing`` and ``result`` as in boto3, ``key`` what names one there, ``label`` what a person reads.

    ``tags`` asks one client for the tags of one listed thing. ``remove`` takes what ``key`` names as ``by``.
    ``untaggable`` is what CloudFormation makes without tags.
    """

    kind: str
    service: str
    listing: str
    result: str
    key: str
    tags: Callable[[Any, Any], Tags]
    remove: str
    by: str = ""
    label: str = ""
    state: str = ""
    created: str = ""
    parameters: tuple[tuple[str, str], ...] = ()
    untaggable: bool = False


def _lower(pairs: list[Any]) -> Tags:
    return {pair["key"]: pair["value"] for pair in pairs}


KINDS = (
    Kind(
        "topic", "sns", "list_topics", "Topics", "TopicArn",
        lambda sns, topic: tags(sns.list_tags_for_resource(ResourceArn=topic["TopicArn"]).get("Tags", [])),
        "delete_topic",
    ),
    Kind(
        "function", "lambda", "list_functions", "Functions", "FunctionName",
        lambda client, function: dict(client.list_tags(Resource=function["FunctionArn"]).get("Tags", {})),
        "delete_function",
    ),
    Kind(
        "state machine", "stepfunctions", "list_state_machines", "stateMachines", "stateMachineArn",
        lambda sfn, one: _lower(sfn.list_tags_for_resource(resourceArn=one["stateMachineArn"]).get("tags", [])),
        "delete_state_machine", created="creationDate",
    ),
    Kind(
        "role", "iam", "list_roles", "Roles", "RoleName",
        lambda iam, role: {} if _made_by_aws(role) else tags(iam.list_role_tags(RoleName=role["RoleName"])["Tags"]),
        "delete_role", created="CreateDate",
    ),
    Kind(
        "policy", "iam", "list_policies", "Policies", "Arn",
        lambda iam, policy: tags(iam.list_policy_tags(PolicyArn=policy["Arn"])["Tags"]),
        "delete_policy", by="PolicyArn", label="PolicyName", created="CreateDate", parameters=(("Scope", "Local"),),
        untaggable=True,
    ),
    Kind(
        "event rule", "events", "list_rules", "Rules", "Name",
        lambda events, rule: tags(events.list_tags_for_resource(ResourceARN=rule["Arn"])["Tags"]),
        "delete_rule", state="State",
    ),
)  # fmt: skip
"""None of these is billed for being there: topics, functions and state machines by use, the rest not at all."""


def collector(kind: Kind) -> Collector:
    """Return what yields everything of a kind."""

    def collect(survey: Survey) -> Iterator[Finding]:
        client = survey.client(kind.service)
        listed = {
            item[kind.key]: item
            for item in survey.pages(kind.service, kind.listing, kind.result, **dict(kind.parameters))
        }
        for name, tag_map in survey.each(lambda name: kind.tags(client, listed[name]), listed):
            item = listed[name]
            why = survey.owner.by_tags_or_name(tag_map, item[kind.label or kind.key])
            if not why and kind.untaggable and name in survey.memory.names:
                why = "made by a stack of this environment"
            if why:
                yield Finding(
                    kind.kind, name, item.get(kind.state, ""), 0.0, why,
                    survey.owner.call(kind.service, kind.remove, **{kind.by or kind.key: name}),
                    created=item.get(kind.created),
                )  # fmt: skip

    return collect


def _made_by_aws(role: Any) -> bool:
    """Say whether it is a service-linked role, which nobody but AWS can make."""
    return str(role.get("Path", "")).startswith("/aws-service-role/")
