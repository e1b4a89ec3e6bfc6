"""The budget is spent: nothing new is started, what runs goes on and can be stopped, and a destroy undoes it all."""

from __future__ import annotations

from collections.abc import Callable

from tests.lifecycle.conftest import Cloud
from tests.lifecycle.stand import stand
from tests.lifecycle.topic import Listener

ACCOUNT = {"AccountId": "000000000000"}


def spend(cloud: Cloud, usd: float) -> None:
    """Post costs of the account, as AWS's billing does some hours late."""
    cloud.post("spend", {"usd": usd})


def under_the_limit(cloud: Cloud) -> list[str]:
    """Return the roles that a spending limit's policy is attached to."""
    iam = cloud.client("iam")
    policies = [one["Arn"] for one in iam.list_policies(Scope="Local")["Policies"] if "SpendingLimit" in one["Arn"]]
    assert policies
    return [role["RoleName"] for arn in policies for role in iam.list_entities_for_policy(PolicyArn=arn)["PolicyRoles"]]


def executed(cloud: Cloud) -> bool:
    actions = cloud.client("budgets").describe_budget_actions_for_account(**ACCOUNT)["Actions"]
    return bool(actions) and all(action["Status"] == "EXECUTION_SUCCESS" for action in actions)


def test_at_the_whole_budget_nothing_new_starts_and_a_destroy_undoes_the_limit(
    cloud: Cloud, environment_file: Callable[..., str]
) -> None:
    name = environment_file("spent", monthly_budget_usd=500)
    place = stand(cloud, name).up()
    (topic,) = [one["TopicArn"] for one in cloud.client("sns").list_topics()["Topics"]]
    listener = Listener(cloud, topic)
    spend(cloud, 400)
    assert under_the_limit(cloud) == []
    spend(cloud, 501)
    cloud.until(lambda: executed(cloud), "the action's execution")
    (role,) = under_the_limit(cloud)
    assert "JobsOnEvent" in role
    cloud.until(listener.subjects, "what the topic is told")
    listener.close()

    jobs = cloud.jobs("training")
    changed = environment_file(
        "spent", monthly_budget_usd=500, workloads={"bank": {"hyperparameters": {"num_round": 20}}}
    )
    stack = place.stack("workload-bank")
    assert stand(cloud, changed).deploy()[stack] == "UPDATE_ROLLBACK_COMPLETE"
    events = cloud.client("cloudformation").describe_stack_events(StackName=stack)["StackEvents"]
    (said,) = {one["ResourceStatusReason"] for one in events if "explicit deny" in one.get("ResourceStatusReason", "")}
    assert "CreateTrainingJob" in said
    assert cloud.jobs("training") == jobs
    cloud.here("invoke", "bank", "--sample", "1", "--environment", name)

    place.destroyed_at_once()
