"""Deploys, audits or destroys as the role in the environment: ``python -m tests.lifecycle.with_role DEED FILE``.

The command itself takes an account's root for localcloud, so this is what it does for AWS, with localcloud's address.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from operations.audit import take_inventory
from operations.audit.finding import Owner
from operations.console import Console
from operations.deploy import deploy
from operations.destroy import destroy
from operations.target import Target


def main(deed: str, file: str) -> int:
    """Do it; 1 when it did not end as it should."""
    target = Target("local", "000000000000", "us-east-1", {k: v for k, v in os.environ.items() if k.startswith("AWS_")})
    name, console = Path(file).stem, Console(as_json=False)
    if deed == "deploy":
        deploy(target, name, file, console)
        return 0
    if deed == "destroy":
        return 0 if destroy(target, name, console, file=file)["clean"] else 1
    inventory = take_inventory(target, Owner(name, target.account, target.region))
    print(inventory.unanswered)
    return 1 if inventory.unanswered else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
