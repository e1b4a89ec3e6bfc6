"""An environment that is deployed in seconds, for tests of what comes after: it is destroyed by the real command.

The templates are the product's own, synthesised in this process. CloudFormation's API creates and updates the stacks,
in the order that the CDK command line keeps to; what that does besides is tried in ``test_environment`` and
``test_by_hand``.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from operations.stacks import tags
from tests.lifecycle.conftest import Cloud
from tests.synthesis import Synthesis, Template, synthesise

QUALIFIER = "hnb659fds"
ASSETS = f"cdk-{QUALIFIER}-assets-000000000000-us-east-1"

Change = Callable[[Template], Template]

_GOOD = ("CREATE_COMPLETE", "UPDATE_COMPLETE")


@dataclass
class Stand:
    """One environment in a localcloud."""

    cloud: Cloud
    #: the environment's file
    file: str
    synthesis: Synthesis
    #: what a situation wants to tell the table: figures by name
    figures: dict[str, Any] = field(default_factory=dict)
    #: what was in the account before the environment was
    before: dict[str, set[str]] = field(default_factory=dict)

    @property
    def environment(self) -> str:
        """The environment's name."""
        return self.synthesis.environment

    def stack(self, part: str) -> str:
        """The name of one of its stacks: ``studio``, ``foundation`` ..."""
        return f"sandcastle-{self.environment}-{part}"

    def client(self, service: str) -> Any:
        """A client of the account's root."""
        return self.cloud.client(service)

    @cached_property
    def outputs(self) -> dict[str, str]:
        """The outputs of all its stacks, by key."""
        found = self.client("cloudformation").describe_stacks()["Stacks"]
        ours = [one for one in found if tags(one.get("Tags", [])).get("sandcastle:environment") == self.environment]
        return {one["OutputKey"]: one["OutputValue"] for stack in ours for one in stack.get("Outputs", [])}

    @property
    def tag_list(self) -> list[dict[str, str]]:
        """What everything made at run time in this environment carries."""
        return [{"Key": "sandcastle:environment", "Value": self.environment}]

    def prepare(self) -> None:
        """Do once what ``cdk bootstrap`` does for these templates: the bucket with the assets, the version."""
        s3 = self.client("s3")
        if ASSETS in [bucket["Name"] for bucket in s3.list_buckets()["Buckets"]]:
            return
        s3.create_bucket(Bucket=ASSETS)
        self.client("ssm").put_parameter(
            Name=f"/cdk-bootstrap/{QUALIFIER}/version", Value="30", Type="String", Overwrite=True
        )
        for manifest in self.synthesis.folder.glob("*.assets.json"):
            for asset in json.loads(manifest.read_text())["files"].values():
                body = _content(self.synthesis.folder / asset["source"]["path"])
                for destination in asset["destinations"].values():
                    s3.put_object(Bucket=ASSETS, Key=destination["objectKey"], Body=body)

    def layers(self) -> list[list[str]]:
        """The stacks in the order of their creation; those of one layer do not wait for each other."""
        artifacts = json.loads((self.synthesis.folder / "manifest.json").read_text())["artifacts"]
        names = set(self.synthesis.templates)
        waiting = {name: set(artifacts[name].get("dependencies", [])) & names for name in names}
        layers: list[list[str]] = []
        while waiting:
            layer = sorted(name for name, others in waiting.items() if not others & set(waiting))
            layers.append(layer)
            for name in layer:
                del waiting[name]
        return layers

    def up(self) -> Stand:
        """Create or update the stacks, insist that each comes to a good end, and return the stand."""
        statuses = self.deploy()
        assert all(statuses[name] in _GOOD for name in self.synthesis.templates), statuses
        return self

    def deploy(
        self, change: Mapping[str, Change] | None = None, *, until: str = "", leave: bool = False
    ) -> dict[str, str]:
        """Create or update the stacks and return their statuses; those after a stack that failed are not begun.

        ``change`` alters the template of a part before it is used. ``until`` is the last part that is deployed, or
        only begun with ``leave``, as by a command that dies.
        """
        self.prepare()
        for layer in self.layers():
            there = self.cloud.stacks()
            for name in layer:
                self._change(name, change or {}, "update_stack" if name in there else "create_stack")
            last = until and self.stack(until) in layer
            if last and leave:
                break
            self.settle(layer)
            statuses = self.cloud.stacks()
            if last or any(statuses[name] not in _GOOD for name in layer):
                break
        return self.cloud.stacks()

    def update(self, part: str, change: Change) -> str:
        """Update one stack with an altered template and return its status."""
        self._submit("update_stack", self.stack(part), hurried(change(self.synthesis.template(part))))
        self.settle([self.stack(part)])
        return self.cloud.stacks()[self.stack(part)]

    def settle(self, names: list[str]) -> None:
        """Wait until CloudFormation works on none of these stacks."""

        def settled() -> bool:
            statuses = self.cloud.stacks()
            return not any(statuses.get(name, "").endswith("_IN_PROGRESS") for name in names)

        self.cloud.until(settled, f"{', '.join(names)} to settle", 120)

    def destroy(self, expect: int = 0) -> Any:
        """Run ``sandcastle destroy`` and return its report. There is no file of the environment: the API is enough."""
        return self.cloud.here("destroy", "--environment", self.environment, expect=expect)

    def destroyed_at_once(self) -> None:
        """Run ``sandcastle destroy``, which is to reach zero at its first attempt with nothing left to sweep."""
        report = self.destroy()
        assert (report["clean"], report["swept"], report["attempts"]) == (True, [], 1)
        self.cloud.assert_nothing_left(self.file)

    def cdk_destroy(self) -> None:
        """Delete the stacks as ``cdk destroy --all`` does: nothing else, and what depends on others first."""
        for layer in reversed(self.layers()):
            for name in layer:
                self.client("cloudformation").delete_stack(StackName=name)
            self.settle(layer)
        assert self.cloud.stacks() == {}

    def faults(self, *rules: dict[str, Any]) -> None:
        """Set the rules by which calls go wrong, or clear them."""
        self.cloud.post("faults", {"rules": list(rules)} if rules else {})

    def _change(self, name: str, change: Mapping[str, Change], operation: str) -> None:
        template = self.synthesis.templates[name]
        part = name.removeprefix(self.stack(""))
        self._submit(operation, name, hurried(change[part](template) if part in change else template))

    def _submit(self, operation: str, name: str, template: Template) -> None:
        key = f"{name}.json"  # a request may hold 51,200 bytes of template, an object a megabyte
        self.client("s3").put_object(Bucket=ASSETS, Key=key, Body=json.dumps(template).encode())
        try:
            getattr(self.client("cloudformation"), operation)(
                StackName=name,
                TemplateURL=f"{self.cloud.endpoint}/{ASSETS}/{key}",
                Capabilities=["CAPABILITY_NAMED_IAM"],
                Tags=[*self.tag_list, {"Key": "sandcastle:stack", "Value": name}],
            )
        except ClientError as error:
            if "No updates are to be performed" not in str(error):
                raise


def stand(cloud: Cloud, file: str) -> Stand:
    """Return a stand for an environment file. A file is read once: a changed environment is another file."""
    return Stand(cloud, file, synthesise(file))


def hurried(template: Template) -> Template:
    """Return the template with a janitor that waits a second for late lines instead of half a minute.

    It waits by the real clock, and an endpoint of localcloud sends its last lines by the virtual one.
    """
    changed = {
        key: {**one, "Properties": {**one["Properties"], "LateLogSeconds": 1}}
        for key, one in template["Resources"].items()
        if "LateLogSeconds" in one.get("Properties", {})
    }
    return {**template, "Resources": {**template["Resources"], **changed}}


def breaks(template: Template) -> Template:
    """Return the template with one more resource, which is made last of all and cannot be made."""
    everything = sorted(template["Resources"])
    broken = {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": ASSETS}, "DependsOn": everything}
    return {**template, "Resources": {**template["Resources"], "Breaks": broken}}


def _content(path: Path) -> bytes:
    """Return an asset as the CDK publishes it: a file as it is, a folder zipped."""
    if path.is_file():
        return path.read_bytes()
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as files:
        for file in sorted(path.rglob("*")):
            if file.is_file():
                files.write(file, file.relative_to(path))
    return archive.getvalue()
