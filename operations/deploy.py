"""``sandcastle deploy``: bootstrap once, ``cdk deploy --all``, and a first prediction of each workload as proof."""

from __future__ import annotations

import time
from typing import Any

from operations.cdk import bootstrap, cdk
from operations.console import Console
from operations.deploy_model import restore_all
from operations.errors import OperationError
from operations.life import life_of
from operations.people import studio_of
from operations.pipeline.last_run import without_endpoint
from operations.pipeline.place import Place
from operations.predict import predict_sample
from operations.rest import wake_before_a_change
from operations.stacks import ANSWERS_AT_ONCE, Stack, environment_stacks, with_pipeline
from operations.target import Target
from operations.words import count


def deploy(target: Target, environment: str, file: str, console: Console) -> dict[str, Any]:
    """Deploy the environment and ask each of its endpoints for one prediction.

    ``file`` is what ``-c environment=`` takes: the environment's name, or the path of its file.

    Raises OperationError when the CLI or a prediction fails; what was deployed stays for a second try.
    """
    started = time.monotonic()
    if bootstrap(target, file):
        console.step(f"account {target.account} is ready for CDK in {target.region}")
    wake_before_a_change(target, environment, console)
    console.step(f"deploying {environment}: training happens on the way, if anything is trained, so this takes a while")
    code = cdk(
        target, file, "deploy", "--all", "--concurrency", "4", "--require-approval", "never",
        "--progress", "events",
    )  # fmt: skip
    if code:
        raise OperationError(_failure(target, environment))
    stacks = environment_stacks(target, environment)
    if not stacks:
        raise OperationError(f"cdk deploy ended well, but no stack of {environment} is in {target.region}.")
    restore_all(target, environment, console)  # CloudFormation compares templates and does not look at the endpoint
    places = [
        Place.of(target, environment, name, one.outputs) for name, one in with_pipeline(stacks, environment).items()
    ]
    served = {place.workload: place.serving() for place in places}
    workloads = [one.workload for one in stacks if one.workload and _answers(one)]
    workloads += [name for name, one in served.items() if one and one.status == "InService"]
    console.step(count(len(stacks), "stack") + " up" + ("; asking each endpoint for a prediction" * bool(workloads)))
    predictions = {name: predict_sample(target, environment, name, 1, console) for name in workloads}
    for place in (place for place in places if place.workload not in workloads):
        found = served[place.workload]
        console.say(found.words if found else without_endpoint(place))
    life, studio = life_of(target, stacks), studio_of(stacks)
    seconds = round(time.monotonic() - started, 1)
    further = "make status, make evaluate, make destroy" if workloads else "make status, make destroy"
    console.say(f"\nEnvironment {environment} is up after {seconds:.0f} s. Next: {further}.")
    if studio and studio.users:
        console.say(f"Enter Studio with: sandcastle studio {studio.users[0]} --environment {environment}")
    if life:
        console.say(f"It {life.words()}; longer with: sandcastle extend 2d --environment {environment}")
    return {
        "life": life.document() if life else None,
        "environment": environment,
        "seconds": seconds,
        "stacks": {stack.name: stack.status for stack in stacks},
        "predictions": predictions,
    }


def _answers(stack: Stack) -> bool:
    """Say whether it can be asked for a prediction that one waits for."""
    return stack.outputs.get("EndpointKind", "real-time") in ANSWERS_AT_ONCE


def _failure(target: Target, environment: str) -> str:
    """Say which stack failed and why, from CloudFormation's own events."""
    lines = ["The deployment failed."]
    client = target.client("cloudformation")
    for stack in environment_stacks(target, environment):
        if stack.status in ("CREATE_COMPLETE", "UPDATE_COMPLETE"):
            continue
        lines.append(f"  {stack.name}: {stack.status} {stack.reason}".rstrip())
        events = client.describe_stack_events(StackName=stack.stack_id)["StackEvents"]
        reasons = [
            f"    {event['LogicalResourceId']}: {event['ResourceStatusReason']}"
            for event in reversed(events)
            if event["ResourceStatus"].endswith("_FAILED")
            and event.get("ResourceStatusReason")
            and "cancelled" not in event["ResourceStatusReason"]
        ]
        lines += list(dict.fromkeys(reasons))
    lines.append(
        f"Deploy again after mending it, or remove what is there with: sandcastle destroy --environment {environment}"
    )
    return "\n".join(lines)
