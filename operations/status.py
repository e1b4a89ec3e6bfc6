"""``sandcastle status``: what is deployed, until when it lives, who works in it, and what it costs by the hour."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from botocore.exceptions import ClientError
from rich import box
from rich.table import Table

from operations.audit import Inventory, take_inventory
from operations.audit.finding import Owner
from operations.audit.survey import pages
from operations.console import Console
from operations.life import life_of
from operations.people import studio_of
from operations.pipeline.last_run import LastRun, last_run
from operations.pipeline.place import Place
from operations.stacks import Stack, environment_stacks, with_pipeline
from operations.target import Target
from operations.words import usd
from sandcastle.config.catalogue import HOURS_PER_MONTH

_CENT_A_MONTH = 0.01
"""US dollars: what costs less is not worth a line."""


def status(target: Target, environment: str, console: Console) -> dict[str, Any]:
    """Show what is deployed; an environment that does not exist is an empty table, not an error."""
    stacks = environment_stacks(target, environment)
    if not stacks:
        console.say(f"Nothing of environment {environment} is deployed in {target.name}, {target.region}.")
        return {**_identity(target, environment), "stacks": []}
    endpoints = {stack.name: _endpoint(target, stack.endpoint) for stack in stacks if stack.endpoint}
    pipelines = {
        stack.name: last_run(Place.of(target, environment, workload, stack.outputs))
        for workload, stack in with_pipeline(stacks, environment).items()
    }
    console.show(_table(target, environment, stacks, endpoints, pipelines))
    life = life_of(target, stacks)
    console.say(f"Environment {environment} {life.words() if life else 'never expires'}.")
    inventory = take_inventory(target, Owner(environment, target.account, target.region))
    users = _users(target, stacks, inventory)
    for user, apps in users.items():
        console.say(f"Studio user {user}: {', '.join(apps) or 'nothing runs'}")
    notebooks = {finding.name: finding.state for finding in inventory.of("notebook instance")}
    for name, state in notebooks.items():
        console.say(f"Notebook {name}: {state}")
    hourly = _hourly(inventory, console)
    return {
        **_identity(target, environment),
        "stacks": [
            {
                "name": stack.name,
                "status": stack.status,
                "reason": stack.reason,
                "outputs": stack.outputs,
                "endpoint_kind": stack.outputs.get("EndpointKind"),
                "endpoint_status": endpoints.get(stack.name),
                "pipeline": asdict(pipelines[stack.name]) if stack.name in pipelines else None,
            }
            for stack in stacks
        ],
        "life": life.document() if life else None,
        "studio": users,
        "notebooks": notebooks,
        "hourly_usd": hourly,
        "unanswered": inventory.unanswered,
    }


def _identity(target: Target, environment: str) -> dict[str, Any]:
    return {"environment": environment, "target": target.name, "region": target.region}


def _table(
    target: Target,
    environment: str,
    stacks: list[Stack],
    endpoints: dict[str, str],
    pipelines: dict[str, LastRun],
) -> Table:
    table = Table(
        box=box.SIMPLE, title=f"environment {environment} in {target.name}, {target.region}", title_justify="left"
    )
    for heading in ("stack", "status", "endpoint", "trained by", "reason"):
        table.add_column(heading, overflow="fold")
    for stack in stacks:
        outputs = stack.outputs
        kind = outputs.get("EndpointKind", "")
        served = f"{stack.endpoint} {kind} {endpoints[stack.name]}".replace("  ", " ") if stack.endpoint else kind
        run = pipelines.get(stack.name)
        trained = run.words if run else outputs.get("TrainingJob", "")
        table.add_row(stack.name, stack.status, served, trained, stack.reason)
    return table


def _users(target: Target, stacks: list[Stack], inventory: Inventory) -> dict[str, list[str]]:
    """Return what runs for each user of Studio, in the profile and in the spaces that are the user's."""
    studio = studio_of(stacks)
    if studio is None or not inventory.of("domain"):
        return {}
    spaces = pages(target.client("sagemaker"), "list_spaces", "Spaces", DomainIdEquals=studio.domain)
    owners = {one["SpaceName"]: one.get("OwnershipSettingsSummary", {}).get("OwnerUserProfileName") for one in spaces}
    running: dict[str, list[str]] = {user: [] for user in studio.users}
    for finding in inventory.of("app"):
        which = finding.removal.parameters
        space = which.get("SpaceName")
        user = which.get("UserProfileName") or owners.get(space) or f"(space {space})"
        words = f"{which['AppType']} {finding.state}, {finding.price}" + (f", in space {space}" if space else "")
        running.setdefault(user, []).append(words)
    return running


def _hourly(inventory: Inventory, console: Console) -> dict[str, float | None]:
    """Show what costs money now, dearest first; None is a thing for which there is no price."""
    dear = [one for one in inventory.billable if one.monthly_usd is None or one.monthly_usd >= _CENT_A_MONTH]
    dear.sort(key=lambda one: -(one.monthly_usd or 0.0))
    total = sum(one.monthly_usd or 0.0 for one in dear) / HOURS_PER_MONTH
    console.say(f"It costs {usd(total)} an hour" + ("." if not dear else ":"))
    found: dict[str, float | None] = {}
    for one in dear:
        hour = None if one.monthly_usd is None else one.monthly_usd / HOURS_PER_MONTH
        found[f"{one.kind} {one.name}"] = hour
        console.say(f"  {'no price' if hour is None else f'{hour:.4f}':>9} {one.kind} {one.name} ({one.price})")
    return found


def _endpoint(target: Target, name: str) -> str:
    try:
        reply = target.client("sagemaker").describe_endpoint(EndpointName=name)
    except ClientError as error:
        if "Could not find endpoint" in str(error):
            return "not there"
        raise
    return str(reply["EndpointStatus"])
