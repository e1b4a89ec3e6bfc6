"""A job's own `python`, `python3`, `pip` and `pip3`: the runner's libraries, and room for what the job installs.

A container is thrown away with what was installed in it; a runner environment is shared by all jobs. So each job
gets a virtual environment of a few small files in its home that sees the runner's libraries: `pip install` in a
job, a toolkit or the driver of SDK v3 finds what is there, adds what is missing, and the runner stays as it was.
"""

from pathlib import Path

from localcloud.jobs.sandbox import HOME, JobDirectory

_NAME = ".python"
#: first on PATH, as the program sees it
BIN = f"{HOME}/{_NAME}/bin"
_PIP = '#!/bin/sh\nexec "${0%/*}/python" -m pip "$@"\n'


def create(directory: JobDirectory, python: Path) -> None:
    """Make it in the home of a job for the interpreter `python` of a runner environment."""
    runner = python.parent.parent
    own = directory.home / _NAME
    programs = own / "bin"
    programs.mkdir(parents=True)
    (own / "pyvenv.cfg").write_text((runner / "pyvenv.cfg").read_text())
    for libraries in runner.glob("lib/python3.*/site-packages"):
        packages = own / libraries.relative_to(runner)
        packages.mkdir(parents=True)
        # after the job's own packages on sys.path, so what the job installs wins
        (packages / "runner.pth").write_text(f"import site; site.addsitedir({str(libraries)!r})\n")
    (programs / "python").symlink_to(python.resolve())
    (programs / "python3").symlink_to("python")
    for name in ("pip", "pip3"):
        (programs / name).write_text(_PIP)
        (programs / name).chmod(0o755)
