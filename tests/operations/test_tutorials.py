"""Notebooks: what is committed, how one is run, and the page that is made of it."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

import nbformat
import pytest

from operations import jupyter, tutorial
from operations.console import Console
from operations.errors import OperationError, UsageError
from operations.notebook_page import page, tidied, written
from operations.project import ROOT, WORKLOADS
from operations.tutorial import NOTEBOOK, RESULTS, Settings, execute, lay_out, notebook_of, values_of

COMMITTED = sorted(WORKLOADS.glob(f"*/{NOTEBOOK}"))
SETTINGS = Settings("local", "us-east-1", "ada", "users/ada/", "data", "models", "arn:role", ("ml.m5.large",))
OF_A_MACHINE = re.compile(r"/root/|/home/|/tmp/|0x[0-9a-f]{8,}|\b\d{12}\b|20\d\d-\d\d-\d\d[T ]\d\d:\d\d")
"""Paths, addresses, accounts and times: what would differ on another machine or another day."""


def notebook(*cells: str) -> Any:
    """A notebook of code cells."""
    made = nbformat.v4.new_notebook()
    made.cells = [nbformat.v4.new_code_cell(source) for source in cells]
    return made


@pytest.fixture
def use(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    """Makes the workload bank's notebook another one."""

    def instead(*cells: str) -> None:
        path = tmp_path / NOTEBOOK
        nbformat.write(notebook(*cells), path)
        monkeypatch.setattr(tutorial, "notebook_of", lambda _: path)

    return instead


@pytest.mark.parametrize("path", COMMITTED, ids=lambda path: path.parent.name)
def test_a_committed_notebook_is_whole_and_of_no_machine(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    made = nbformat.reads(text, as_version=nbformat.NO_CONVERT)
    nbformat.validate(made)
    assert made.metadata.kernelspec.name == "python3"
    assert text == written(tidied(made)), "commit it as operations.tools.tutorials writes it"
    code = [cell for cell in made.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1))
    outputs = [output for cell in code for output in cell.outputs]
    assert not [one for one in outputs if one.output_type == "error" or one.get("name") == "stderr"]
    assert [one for one in outputs if "image/png" in one.get("data", {})]
    assert values_of(made)
    shown = json.dumps([{**one, "data": {**one.get("data", {}), "image/png": ""}} for one in outputs])
    assert OF_A_MACHINE.findall(shown) == []
    assert "clean_up()" in code[-1].source
    assert path.stat().st_size < 400_000


@pytest.mark.parametrize("path", COMMITTED, ids=lambda path: path.parent.name)
def test_a_committed_notebook_becomes_a_page_that_needs_no_other_file(path: Path) -> None:
    html = page(tutorial.read_notebook(path), "title")
    assert html.count("data:image/png;base64,") >= 1
    assert not re.search(r'(src|href)="(?!data:|https?:)', html)
    assert "<h2>" in html


def test_a_notebook_runs_in_the_layout_of_studio_and_leaves_its_results(use: Any) -> None:
    use(
        "import os, sys; sys.path[:0] = ['../../tutorials', '../shared']",
        "import pathlib, workbench, job, table; here = workbench.at('bank'); here",
        "beside = pathlib.Path('workload.yaml').exists()",
        "here.results(user=here.user, key=os.environ['AWS_ACCESS_KEY_ID'], beside=beside)",
        "'<b>', here.name",
    )
    told: list[tuple[int, int]] = []
    env = {**os.environ, "AWS_ACCESS_KEY_ID": "adas"}
    found = execute("bank", SETTINGS, env, lambda number, of, _: told.append((number, of)))
    assert found.values == {"user": "ada", "key": "adas", "beside": True}
    assert told == [(number, 5) for number in range(1, 6)]
    assert found.notebook.cells[1].outputs[0].data["text/plain"] == "bank in environment local, us-east-1; you are ada"
    assert "&lt;b&gt;" in page(found.notebook, "t")


def test_a_cell_that_fails_is_named_with_its_error(use: Any) -> None:
    use("fine = 1", "raise RuntimeError('the job is Failed: no space')", "never = 1")
    with pytest.raises(OperationError, match=r"Cell 2 of 3 failed: RuntimeError: the job is Failed: no space"):
        execute("bank", SETTINGS, os.environ)


def test_a_copy_keeps_what_its_reader_changed(tmp_path: Path) -> None:
    place = lay_out(tmp_path, "bank")
    assert place == tmp_path / "tutorials" / "bank"
    assert (tmp_path / "tutorials" / "workbench.py").exists()
    assert (tmp_path / "tutorials" / "shared" / "job.py").exists()
    (place / NOTEBOOK).write_text("mine")
    lay_out(tmp_path, "bank")
    assert (place / NOTEBOOK).read_text() == "mine"


def test_tidying_takes_ids_times_and_addresses() -> None:
    made = notebook("x")
    made.cells[0].metadata = {"execution": {"iopub.status.busy": "2026-11-26T18:00:00"}}
    made.cells[0].outputs = [
        nbformat.v4.new_output("execute_result", {"text/plain": "<A at 0x7f8efd9f2150>", RESULTS: {"a": 1}})
    ]
    text = written(tidied(made))
    for gone in ('"id"', "2026", "0x7f"):
        assert gone not in text
    assert values_of(nbformat.reads(text, as_version=4)) == {"a": 1}


def test_a_workload_without_a_notebook_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(tutorial, "WORKLOADS", tmp_path)
    with pytest.raises(UsageError, match="has no tutorial"):
        notebook_of("bank")


def test_the_guide_and_the_helpers_are_delivered_beside_the_notebooks() -> None:
    there = {file.name for file in (ROOT / "assets" / "tutorials").iterdir()}
    assert {"README.md", "workbench.py", "pictures.py"} <= there


def test_jupyterlab_is_installed_once_and_again_when_its_lock_file_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun: list[Path] = []

    def begin(folder: Path, **_: Any) -> None:
        begun.append(folder)
        raise OperationError("no installation in a test")

    monkeypatch.setattr(jupyter, "HOME", tmp_path / "lab")
    monkeypatch.setattr(jupyter.venv, "create", begin)
    (tmp_path / "lab").mkdir()
    (tmp_path / "lab" / ".installed").write_bytes(jupyter.LOCK.read_bytes())
    jupyter.install(Console(as_json=True))
    assert begun == []
    (tmp_path / "lab" / ".installed").write_text("jupyterlab==1.0")
    with pytest.raises(OperationError):
        jupyter.install(Console(as_json=True))
    assert begun == [tmp_path / "lab"]
    assert not (tmp_path / "lab" / ".installed").exists()
