"""``deploy``, ``destroy``, ``status``, ``audit`` and ``env``: an environment as a whole."""

from __future__ import annotations

import argparse
import shlex

from operations import target as targets
from operations.commands.common import (
    Register,
    asks_first,
    confirm,
    deployed_in,
    environment_of,
    insist_it_exists,
    name_of,
    target_of,
)
from operations.console import Console
from operations.errors import EXIT_FAILED, EXIT_OK
from operations.project import ROOT, display
from sandcastle.config import load_environment


def register(command: Register) -> None:
    """Add the commands of this group."""
    asks_first(command("deploy", _deploy, "deploy an environment and end with a prediction"))
    asks_first(command("destroy", _destroy, "destroy an environment and prove that nothing is left"))
    command("status", _status, "show stacks, endpoints and jobs")
    audit = command("audit", _audit, "list what an environment has, with its cost; exit 1 if anything is billable")
    audit.add_argument(
        "--all",
        action="store_true",
        dest="everywhere",
        help="every environment of the account's region; exit 1 if one without stacks left anything billable",
    )
    command("env", _env, 'print shell settings for cdk and aws against localcloud: eval "$(sandcastle env)"')


def _deploy(options: argparse.Namespace, console: Console) -> int:
    from operations.deploy import deploy
    from operations.runners import make_runners

    environment = load_environment(options.environment, ROOT, options.region)
    for note in environment.notes:
        console.warn(note)
    target = target_of(options, start=True)
    for note in target.notes:
        console.warn(note)
    if target.name == "aws" and all(address.endswith("@example.com") for address in environment.notify):
        console.warn(f"Nobody would hear the budget: set `notify` in {display(environment.file)} to your address.")
    confirm(options, target, f"deploy environment {environment.name} to")
    make_runners(target, environment, console)
    console.finish(deploy(target, environment.name, options.environment, console))
    return EXIT_OK


def _destroy(options: argparse.Namespace, console: Console) -> int:
    from operations.destroy import destroy

    target = deployed_in(options, console)
    name = name_of(options)
    if target is None:
        return EXIT_OK
    confirm(options, target, f"destroy environment {name}, with its data, in")
    valid = environment_of(options) is not None
    if not valid:
        console.warn("The environment file is not valid; destroying without it, through CloudFormation's API.")
    document = destroy(target, name, console, file=options.environment if valid else None)
    insist_it_exists(options, target, bool(document["destroyed"] or document["swept"]) or not document["clean"])
    console.finish(document)
    return EXIT_OK if document["clean"] else EXIT_FAILED


def _status(options: argparse.Namespace, console: Console) -> int:
    from operations.status import status

    target = deployed_in(options, console)
    if target is None:
        return EXIT_OK
    document = status(target, name_of(options), console)
    insist_it_exists(options, target, bool(document["stacks"]))
    console.finish(document)
    return EXIT_OK


def _audit(options: argparse.Namespace, console: Console) -> int:
    from operations.audit import take_inventory
    from operations.audit.finding import Owner
    from operations.audit.report import show_inventory

    target = deployed_in(options, console)
    if target is None:
        return EXIT_OK
    if options.everywhere:
        return _audit_everywhere(target, console)
    inventory = take_inventory(target, Owner(name_of(options), target.account, target.region))
    show_inventory(inventory, console)
    insist_it_exists(options, target, not inventory.clean)
    console.finish(inventory.document())
    return EXIT_FAILED if inventory.billable or inventory.unanswered else EXIT_OK


def _audit_everywhere(target: targets.Target, console: Console) -> int:
    """Show each environment: one that stands costs what it costs, one that does not must have left nothing."""
    from operations.audit.everywhere import audit_everywhere
    from operations.audit.report import show_inventory

    found = audit_everywhere(target, {file.stem for file in (ROOT / "environments").glob("*.yaml")})
    for name, inventory in found.inventories.items():
        if name in found.deployed:
            console.say(f"Environment {name} is deployed: {inventory.monthly_usd:.2f} USD a month as it is now.")
        else:
            console.say(f"Environment {name} has no stack any more, and this is left of it:")
            show_inventory(inventory, console)
            console.say(f"Remove it with: sandcastle destroy --environment {name} --target {target.name}")
    if not found.inventories:
        console.say(f"No environment is, or left anything, in {target.name}, {target.region}.")
    console.finish(found.document())
    return EXIT_FAILED if found.leftovers else EXIT_OK


def _env(options: argparse.Namespace, console: Console) -> int:
    """Print what a shell needs so that cdk, aws and boto3 work in the local target."""
    target = target_of(options, start=True)
    for key, value in {**targets.TOOLS, **target.settings}.items():
        console.say(f"export {key}={shlex.quote(value)}")
    console.say(f'export PATH="{ROOT / ".venv" / "bin"}:{ROOT / "node_modules" / ".bin"}:$PATH"')
    console.say("unset AWS_PROFILE AWS_SESSION_TOKEN AWS_SECURITY_TOKEN")
    console.finish(dict(target.settings))
    return EXIT_OK
