"""Runs the notebook of a workload without a browser, as a person of the environment would, and reads its results."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from operations.errors import OperationError, UsageError
from operations.people import studio_of
from operations.project import ROOT, WORKLOADS, foundation_stack, stack_prefix
from operations.stacks import environment_stacks
from operations.target import Target

if TYPE_CHECKING:
    from nbformat import NotebookNode

NOTEBOOK = "tutorial.ipynb"
HELPERS = ROOT / "assets" / "tutorials"
RESULTS = "application/vnd.sandcastle.results+json"
"""How a notebook leaves its results among its outputs (``assets/tutorials/workbench.py``)."""

CELL_SECONDS = 3600
"""How long one cell may take: on AWS a training job and an endpoint take minutes each."""

_LINES = 12
"""How many lines of a cell's error are shown: the last ones, which say what happened."""

_COLOURS = re.compile(r"\x1b\[[0-9;]*m")


@dataclass(frozen=True)
class Settings:
    """Who works where: what a lifecycle script notes at the start of an app (``assets/lifecycle/deliver.py``)."""

    environment: str
    region: str
    user: str
    home: str
    data_bucket: str
    models_bucket: str
    role: str
    instances: tuple[str, ...]


@dataclass(frozen=True)
class Results:
    """A notebook that ran to its end: what it left as results, how many cells ran, and itself with all outputs."""

    workload: str
    values: dict[str, Any]
    cells: int
    notebook: NotebookNode


def settings_of(target: Target, environment: str, user: str | None = None) -> Settings:
    """Return the settings of a person of the deployed environment: ``user``, else the first one in Studio, else the
    notebook instance's.

    Jobs and endpoints of a tutorial run as that person, so that it shows what the person may do. Raises OperationError
    when the environment is not deployed or has nobody, UsageError when it has no such user.
    """
    stacks = environment_stacks(target, environment)
    outputs = {stack.name: stack.outputs for stack in stacks}
    foundation = outputs.get(foundation_stack(environment), {})
    if "DataBucket" not in foundation:
        raise OperationError(f"Environment {environment} is not deployed. Deploy with: make deploy ENV={environment}")
    studio, notebook = studio_of(stacks), outputs.get(f"{stack_prefix(environment)}notebook", {})
    people = [*(studio.users if studio else ()), *(["notebook"] if "NotebookName" in notebook else [])]
    if not people:
        raise OperationError(
            f"Environment {environment} has nobody to run a tutorial as. "
            "Add `studio: {users: [...]}` or `notebook: {}` to its file and deploy it."
        )
    who = user or people[0]
    if who not in people:
        raise UsageError(f"Environment {environment} has no user {who}. There are: {', '.join(people)}.")
    sagemaker = target.client("sagemaker")
    if studio and who in studio.users:
        profile = sagemaker.describe_user_profile(DomainId=studio.domain, UserProfileName=who)
        role, home, place = profile["UserSettings"]["ExecutionRole"], f"users/{who}/", "studio"
    else:
        instance = sagemaker.describe_notebook_instance(NotebookInstanceName=notebook["NotebookName"])
        role, home, place = instance["RoleArn"], f"{who}/", "notebook"
    return Settings(
        environment=environment,
        region=target.region,
        user=who,
        home=home,
        data_bucket=foundation["DataBucket"],
        models_bucket=foundation["ModelsBucket"],
        role=role,
        instances=tuple(outputs[stack_prefix(environment) + place]["InstanceTypes"].split()),
    )


def notebook_of(workload: str) -> Path:
    """Return the workload's notebook. Raises UsageError when it has none."""
    path = WORKLOADS / workload / NOTEBOOK
    if not path.exists():
        having = sorted(one.parent.name for one in WORKLOADS.glob(f"*/{NOTEBOOK}"))
        raise UsageError(f"Workload {workload} has no tutorial. There are those of: {', '.join(having)}.")
    return path


def read_notebook(path: Path) -> NotebookNode:
    """Return a notebook file as it is."""
    import nbformat

    notebook: NotebookNode = nbformat.reads(path.read_text("utf-8"), as_version=4)  # type: ignore[no-untyped-call]  # no types
    return notebook


def lay_out(folder: Path, workload: str) -> Path:
    """Copy everything that a tutorial needs below the folder as it lies in Studio; return the workload's folder.

    What is there already stays: somebody may work on it.
    """
    room = folder / "tutorials"
    for source, place in (
        (HELPERS, room),
        (WORKLOADS / "shared", room / "shared"),
        (WORKLOADS / workload, room / workload),
    ):
        for file in sorted(source.rglob("*")):
            copy = place / file.relative_to(source)
            if file.is_file() and "__pycache__" not in file.parts and not copy.exists():
                copy.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(file, copy)
    return room / workload


def execute(
    workload: str,
    settings: Settings,
    env: Mapping[str, str],
    tell: Callable[[int, int, str], None] | None = None,
) -> Results:
    """Run the notebook from top to bottom and return what it left.

    ``env`` is the environment of the notebook's process: whose credentials it has decides what it may do. ``tell``
    hears of each code cell: its number, how many there are, its first line. Raises OperationError with the cell and
    its error; what the notebook had made by then is deleted.
    """
    notebook = read_notebook(notebook_of(workload))
    with tempfile.TemporaryDirectory(prefix="sandcastle-tutorial-") as name:
        scratch = Path(name)
        folder = lay_out(scratch, workload)
        environ = {**env, **_places(scratch, settings)}
        try:
            ran = _run(notebook, folder, scratch, environ, tell)
        except BaseException:
            _clean_up(workload, folder, environ)
            raise
    return Results(workload, values_of(notebook), ran, notebook)


def values_of(notebook: NotebookNode) -> dict[str, Any]:
    """Return the results that a notebook holds among its outputs, later ones over earlier ones."""
    found: dict[str, Any] = {}
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            found |= output.get("data", {}).get(RESULTS, {})
    return found


def write_settings(folder: Path, settings: Settings) -> Path:
    """Write the settings as a lifecycle script does; return the file."""
    path = folder / ".sandcastle" / "environment.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(asdict(settings), indent=2), encoding="utf-8")
    return path


def _places(scratch: Path, settings: Settings) -> dict[str, str]:
    """Keep what Jupyter, IPython and the SDK have in a person's home out of it, and out of their sight."""
    nothing = scratch / "nothing.yaml"
    nothing.touch()
    return {
        "SANDCASTLE_SETTINGS": str(write_settings(scratch, settings)),
        "SAGEMAKER_ADMIN_CONFIG_OVERRIDE": str(nothing),
        "SAGEMAKER_USER_CONFIG_OVERRIDE": str(nothing),
        "IPYTHONDIR": str(scratch / ".ipython"),
        "JUPYTER_RUNTIME_DIR": str(scratch / ".runtime"),
    }


def _run(
    notebook: NotebookNode,
    folder: Path,
    scratch: Path,
    environ: dict[str, str],
    tell: Callable[[int, int, str], None] | None,
) -> int:
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

    code = [cell for cell in notebook.cells if cell.cell_type == "code" and cell.source.strip()]
    begun = 0

    def before(cell: NotebookNode, **_: Any) -> None:
        nonlocal begun
        begun += 1
        if tell:
            tell(begun, len(code), _first_line(cell.source))

    client = NotebookClient(
        notebook,
        kernel_manager_class=_kernel(),
        timeout=CELL_SECONDS,
        resources={"metadata": {"path": str(folder)}},
        on_cell_execute=before,
    )
    kernel = client.create_kernel_manager()
    kernel.connection_file = str(scratch / "kernel.json")
    kernel.transport, kernel.ip = "ipc", str(scratch / "kernel")  # sockets in a folder that nobody else may enter
    try:
        client.execute(env=environ)
    except CellExecutionError as error:
        told = "\n".join(_COLOURS.sub("", error.traceback).splitlines()[-_LINES:])
        raise OperationError(f"Cell {begun} of {len(code)} failed: {error.ename}: {error.evalue}\n{told}") from error
    except (CellTimeoutError, DeadKernelError) as error:
        raise OperationError(f"Cell {begun} of {len(code)} did not end: {error}") from error
    return len(code)


def _kernel() -> Any:
    """Return a kernel's manager that runs this very Python, whatever kernels its user has installed."""
    from jupyter_client.kernelspec import KernelSpec
    from jupyter_client.manager import AsyncKernelManager

    class Own(AsyncKernelManager):
        @property
        def kernel_spec(self) -> KernelSpec:
            argv = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
            return KernelSpec(argv=argv, display_name="Python 3", language="python")

    return Own


def _clean_up(workload: str, folder: Path, environ: dict[str, str]) -> None:
    """Delete what a notebook that broke off has made. What fails here is in nobody's way: destroy finds it, too."""
    program = "import sys, workbench; workbench.at(sys.argv[1]).clean_up()"
    subprocess.run(
        [sys.executable, "-c", program, workload],
        cwd=folder.parent,
        env=environ,
        capture_output=True,
        timeout=300,
        check=False,
    )


def _first_line(source: str) -> str:
    return next((line for line in source.splitlines() if line.strip() and not line.startswith("#")), "")
