"""Running a workload's prepare.py as its processing job does, in a folder of the test."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

REPOSITORY = Path(__file__).parents[2]
WORKLOADS = REPOSITORY / "assets" / "workloads"


def load_program(path: str) -> ModuleType:
    """Import a module of assets/workloads by its path, without putting its folder on the path of every test."""
    spec = importlib.util.spec_from_file_location(f"workloads_{Path(path).stem}", WORKLOADS / path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def runner_python() -> Path:
    """Return the interpreter that processing jobs run on here, the stand-in for AWS's scikit-learn image."""
    runners = Path(os.environ.get("LOCALCLOUD_RUNNERS", REPOSITORY / ".localcloud" / "runners"))
    return runners / "classic" / "bin" / "python"


@dataclass(frozen=True)
class Prepared:
    """What a run of prepare.py left."""

    root: Path
    code: int
    log: str

    def file(self, split: str, name: str) -> Path:
        return self.root / "processing" / "output" / split / name

    def table(self, split: str) -> np.ndarray:
        """Return a CSV split, label first: shape (rows, 1 + features)."""
        return np.loadtxt(self.file(split, f"{split}.csv"), delimiter=",", ndmin=2)

    @property
    def about(self) -> dict[str, Any]:
        document: dict[str, Any] = json.loads(self.file("about", "about.json").read_text())
        return document

    @property
    def exit_message(self) -> str:
        return (self.root / "output" / "message").read_text()

    def contents(self) -> dict[str, bytes]:
        """Return every output file by its path."""
        output = self.root / "processing" / "output"
        return {str(path.relative_to(output)): path.read_bytes() for path in output.rglob("*") if path.is_file()}


Prepare = Callable[..., Prepared]


class Jobs:
    """The process of ``forks.py``, in which jobs run one after the other."""

    def __enter__(self) -> Jobs:
        self._process = subprocess.Popen(
            [str(runner_python()), str(Path(__file__).with_name("forks.py"))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={"OMP_NUM_THREADS": "1"},
        )
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate(timeout=60)

    def run(self, task: dict[str, Any]) -> int:
        """Return the exit code of the program. The archives come first on the module path, as in the job."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(task) + "\n")
        self._process.stdin.flush()
        return int(self._process.stdout.readline())


@pytest.fixture(scope="session")
def prepare(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prepare]:
    """Return a function that runs ``prepare.py`` of a workload; ``full`` is the (name, bytes) of a public file.

    ``version`` is what a pipeline calls the data; ``asked`` wants the rows that transform jobs are compared with.
    ``workloads`` is the folder that holds the workload, when it is another project's.
    """

    def run(
        workload: str,
        full: tuple[str, bytes] | None = None,
        data: str | None = None,
        workloads: Path = WORKLOADS,
        version: str | None = None,
        asked: bool = False,
    ) -> Prepared:
        root = tmp_path_factory.mktemp(workload)
        for split in ("train", "validation", "test", "about"):
            (root / "processing" / "output" / split).mkdir(parents=True)
        if full is not None:
            name, content = full
            (root / "processing" / "input" / "full").mkdir(parents=True)
            (root / "processing" / "input" / "full" / name).write_bytes(content)
        archives = []
        for folder in (workload, "shared"):
            archive = root / f"{folder}.zip"
            with zipfile.ZipFile(archive, "w") as zipped:
                for path in sorted((workloads / folder).iterdir()):
                    if path.suffix in (".py", ".csv"):
                        zipped.write(path, path.name)
            archives.append(str(archive))
        log = root / "log"
        environment = {
            "SAGEMAKER_BASE_DIR": str(root),
            "SANDCASTLE_DATA": data or ("sample" if full is None else "full"),
            "OMP_NUM_THREADS": "1",
        }
        if version is not None:
            environment["SANDCASTLE_DATA_VERSION"] = version
        if asked:
            environment["SANDCASTLE_ASKED"] = "true"
        task = {"archives": archives, "root": str(root), "environment": environment, "log": str(log)}
        return Prepared(root, jobs.run(task), log.read_text())

    with Jobs() as jobs:
        yield run
