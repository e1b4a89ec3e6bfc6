"""A notebook instance by itself: what it finds at its start, what stops it, that no update starts it, and its end."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from sandcastle.fingerprint import code_files
from sandcastle.tutorials import NOT_FOR_PEOPLE
from tests.lifecycle.conftest import ROOT, Cloud
from tests.lifecycle.environments import written
from tests.lifecycle.stand import Stand, stand

WATCHED = "autostop.log: this instance stops after {} idle minutes"
GROUP = "/aws/sagemaker/NotebookInstances"


@dataclass
class Notebook:
    """A deployed environment that has nothing but a notebook instance."""

    cloud: Cloud
    place: Stand | None = None

    def deploy(self, **settings: Any) -> None:
        """Write the file with these settings of the notebook and deploy it."""
        self.place = stand(self.cloud, written("scribble", notebook=settings)).up()

    @property
    def name(self) -> str:
        """The instance's name, of which there is one."""
        (found,) = self.cloud.client("sagemaker").list_notebook_instances()["NotebookInstances"]
        return str(found["NotebookInstanceName"])

    def described(self) -> dict[str, Any]:
        """What SageMaker says of it."""
        found: dict[str, Any] = self.cloud.client("sagemaker").describe_notebook_instance(
            NotebookInstanceName=self.name
        )
        return found

    @property
    def status(self) -> str:
        """Its status."""
        return str(self.described()["NotebookInstanceStatus"])

    def until(self, status: str) -> None:
        """Wait for the status."""
        self.cloud.until(lambda: self.status == status, f"the notebook instance is {status}")

    def stop(self) -> None:
        """Stop it, as a person does."""
        self.cloud.client("sagemaker").stop_notebook_instance(NotebookInstanceName=self.name)
        self.until("Stopped")

    def start(self) -> None:
        """Start it, as a person does."""
        self.cloud.client("sagemaker").start_notebook_instance(NotebookInstanceName=self.name)
        self.until("InService")

    def log(self) -> list[str]:
        """What its starts have said, oldest first."""
        stream = f"{self.name}/LifecycleConfigOnStart"
        found = self.cloud.client("logs").get_log_events(logGroupName=GROUP, logStreamName=stream, startFromHead=True)
        return [event["message"].rstrip() for event in found["events"]]

    def said(self, end: str) -> None:
        """Wait until the log's last line ends like this: what a machine prints arrives a moment later."""
        self.cloud.until(lambda: self.log()[-1:] and self.log()[-1].endswith(end), f"{end!r} in the log", 30)

    def streams(self) -> list[str]:
        """All log streams of notebook instances in the account."""
        pages = self.cloud.client("logs").get_paginator("describe_log_streams").paginate(logGroupName=GROUP)
        return [stream["logStreamName"] for page in pages for stream in page["logStreams"]]


@pytest.fixture
def notebook(cloud: Cloud) -> Iterator[Notebook]:
    made = Notebook(cloud)
    made.deploy()
    yield made
    cloud.post("switches", {"notebook-after-update": "start", "notebook-busy-delete": "fail"})
    assert made.place
    made.place.destroyed_at_once()
    assert made.streams() == []


def _for_everyone() -> int:
    """How many files are delivered to somebody who is given no workload."""
    folders = (ROOT / "assets" / "tutorials", ROOT / "assets" / "workloads" / "shared")
    return sum(1 for folder in folders for _ in code_files(folder, NOT_FOR_PEOPLE))


def test_it_brings_the_tutorials_watches_itself_and_an_update_leaves_it_as_it_was(notebook: Notebook) -> None:
    described = notebook.described()
    assert described["NotebookInstanceStatus"] == "InService"
    assert described["RootAccess"] == "Disabled"
    notebook.said(WATCHED.format(60))
    delivered = f"sandcastle: {_for_everyone()} new files in ~/SageMaker/tutorials"
    assert notebook.log()[-3:-1] == ["sandcastle: tutorial shared", delivered]  # what fails would say so in between

    notebook.stop()
    for position, idle in (("start", 90), ("stay", 120)):
        notebook.cloud.post("switches", {"notebook-after-update": position})
        notebook.deploy(idle_minutes=idle)
        assert notebook.status == "Stopped", position

    notebook.start()
    notebook.said(WATCHED.format(120))
    assert notebook.log()[-2] == "sandcastle: 0 new files in ~/SageMaker/tutorials"  # the volume outlived the stop
    notebook.deploy(idle_minutes=180)
    assert notebook.status == "InService"

    before = notebook.name
    notebook.stop()
    notebook.deploy(idle_minutes=180, network="vpc-only")
    assert notebook.name != before
    assert notebook.described()["DirectInternetAccess"] == "Disabled"
    notebook.until("Stopped")


@pytest.mark.exhaustive
def test_once_a_day_the_schedule_stops_it(notebook: Notebook) -> None:
    notebook.cloud.advance(24 * 3600)
    notebook.until("Stopped")
    notebook.cloud.advance(24 * 3600)  # a refusal: nothing comes of it
    assert notebook.status == "Stopped"
    notebook.start()
    notebook.cloud.advance(60)
    assert notebook.status == "InService"


@pytest.mark.exhaustive
@pytest.mark.parametrize("position", ["fail", "wait"])
def test_a_destroy_reaches_zero_while_it_starts(notebook: Notebook, position: str) -> None:
    notebook.cloud.post("switches", {"notebook-busy-delete": position})
    notebook.stop()
    notebook.cloud.client("sagemaker").start_notebook_instance(NotebookInstanceName=notebook.name)
