"""Runs prepare programs as their job does, each in a fork of a process that has numpy, pandas and scikit-learn loaded.

Started by ``conftest.py`` on the runner's interpreter. Reads one JSON document a line, ``{"archives", "root",
"environment", "log"}``, and answers the program's exit code. To import these libraries takes longer than to prepare
the data, and what a program does to its process ends with the fork.
"""

import json
import os
import runpy
import sys
import traceback

import numpy  # noqa: F401
import pandas  # noqa: F401
import sklearn.datasets


def child(task):
    """Become the job: its folder, its environment and nothing of ours, its log; return its exit code."""
    os.chdir(task["root"])
    os.environ.clear()
    os.environ.update(task["environment"])
    log = os.open(task["log"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    for stream in (1, 2):
        os.dup2(log, stream)
    sys.path[:0] = task["archives"]
    try:
        runpy.run_module("prepare", run_name="__main__")
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
        if isinstance(end.code, str):
            print(end.code, file=sys.stderr)
    except BaseException:
        traceback.print_exc()
        code = 1
    sys.stdout.flush()
    sys.stderr.flush()
    return code


def main():
    """Answer until the input ends."""
    sklearn.datasets.load_digits()
    for line in sys.stdin:
        pid = os.fork()
        if pid == 0:
            os._exit(child(json.loads(line)))
        _, status = os.waitpid(pid, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


main()
