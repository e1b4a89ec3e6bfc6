"""Data that is no good fails the job with a text that says what is wrong; all cases in forks of one process."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.localcloud.jobs.runner_modules import RUNNERS as PROGRAMS
from tests.localcloud.jobs.test_runner_programs import BINARY, LINEAR, PYTHON, ROWS, prepare, recordio
from tests.localcloud.jobs.training_data import table

CSV, RECORDS = "text/csv", "application/x-recordio-protobuf"
GOOD = table(1, 60)
RECORD_BYTES = recordio.write_matrix(ROWS[:60, 1:], ROWS[:60, 0])
UNREADABLE = (
    "Unable to read data channel 'train'. Requested content-type is '{}'. Please verify the data matches the requested "
    "content-type. (caused by {})\n\nCaused by: "
)
#: name -> (program, content type, channels, exit code, the whole reason or its start)
CASES: dict[str, tuple[str, str, dict[str, str | bytes], int, str]] = {
    "xgboost: a row that is cut off": (
        "xgboost",
        CSV,
        {"train": GOOD + "1,0.5"},
        1,
        "framework error: \nFailed to load csv data with exception:\npart-0: row 61 has 2 columns and the rows before "
        "it have 5",
    ),
    "xgboost: an empty object": (
        "xgboost",
        CSV,
        {"train": ""},
        1,
        "framework error: \nCould not determine delimiter on line :\npart-0: Could not determine delimiter",
    ),
    "xgboost: a label that is missing": (
        "xgboost",
        CSV,
        {"train": GOOD + ",1,2,3,4\n"},
        1,
        "framework error: \nFailed to load csv data with exception:\npart-0: row 61: Label contains NaN, infinity or "
        "a value too large.",
    ),
    "xgboost: a record that is cut off": (
        "xgboost",
        RECORDS,
        {"train": RECORD_BYTES[:-5]},
        1,
        "framework error: \nFailed to load recordio-protobuf data with exception:\npart-0: record 60: the file ends "
        "within a record",
    ),
    "xgboost: channels of different widths": (
        "xgboost",
        CSV,
        {"train": GOOD, "validation": "1,2,3,4,5,6\n0,1,2,3,4,5\n"},
        1,
        "framework error: \nThe train channel has 4 features and the validation channel has 5.",
    ),
    "linear_learner: a row that is cut off": (
        "linear_learner",
        CSV,
        {"train": GOOD + "1,0.5"},
        2,
        "Unable to read data channel 'train'. Requested content-type is 'text/csv'. Please verify the data matches the "
        "requested content-type. (caused by ValueError)\n\nCaused by: part-0: row 61 has 2 columns and the rows "
        "before it have 5",
    ),
    "linear_learner: an empty object": (
        "linear_learner",
        CSV,
        {"train": ""},
        2,
        "No training data processed. Either the training channel is empty or the mini-batch size is too high.",
    ),
    "linear_learner: words": (
        "linear_learner",
        CSV,
        {"train": "label,age\n1,2\n"},
        2,
        f"{UNREADABLE.format(CSV, 'ValueError')}part-0: row 1: 'label' is not a number",
    ),
    "linear_learner: no text": (
        "linear_learner",
        CSV,
        {"train": b"\xff\xfe\x00"},
        2,
        f"{UNREADABLE.format(CSV, 'UnicodeDecodeError')}part-0: 'utf-8' codec can't decode",
    ),
    "linear_learner: not a number": (
        "linear_learner",
        CSV,
        {"train": GOOD + "1,nan,2,3,4\n"},
        2,
        "The data of channel 'train' contains values that are missing or not finite: part-0, row 61.",
    ),
    "linear_learner: a record that is cut off": (
        "linear_learner",
        RECORDS,
        {"train": RECORD_BYTES[:-5]},
        2,
        "Unable to read data channel 'train'. Requested content-type is 'application/x-recordio-protobuf'. Please "
        "verify the data matches the requested content-type. (caused by RecordError)\n\nCaused by: part-0: record 60: "
        "the file ends within a record",
    ),
    "linear_learner: channels of different widths": (
        "linear_learner",
        CSV,
        {"train": GOOD, "validation": "1,2,3,4,5,6\n0,1,2,3,4,5\n"},
        2,
        "The data of channel 'validation' has 5 features and that of channel 'train' has 4.",
    ),
    "xgboost: a pair that is none": (
        "xgboost",
        "text/libsvm",
        {"train": "1 1:2\n0 1:x\n"},
        1,
        "framework error: \nFirst line '1 1:2...' of file 'part-0' is not 'LIBSVM' format. Please ensure the file is "
        "in 'LIBSVM' format.\npart-0: row 2: could not convert",
    ),
    "xgboost: no records": (
        "xgboost",
        RECORDS,
        {"train": ""},
        1,
        "framework error: \nFailed to load recordio-protobuf data with exception:\npart-0: it has no records",
    ),
    "kmeans: an empty object": (
        "kmeans",
        "text/csv;label_size=0",
        {"train": ""},
        2,
        "No training data processed. Either the training channel is empty or the mini-batch size is too high.",
    ),
    "kmeans: rows that are too wide": (
        "kmeans",
        "text/csv;label_size=0",
        {"train": GOOD},
        2,
        "The data of channel 'train' has 5 features and the hyperparameter feature_dim is 4.",
    ),
    "kmeans: a table that may have labels": (
        "kmeans",
        CSV,
        {"train": GOOD},
        2,
        "Unable to initialize the algorithm. Failed to validate input data configuration. (caused by ValidationError)"
        "\n\nCaused by: 'text/csv' is not one of ['application/x-recordio-protobuf', 'text/csv;label_size=0']",
    ),
    "kmeans: not a number": (
        "kmeans",
        "text/csv;label_size=0",
        {"train": "1,2,3,4\n1,,3,4\n"},
        2,
        "The data of channel 'train' contains values that are missing or not finite: part-0, row 2.",
    ),
    "kmeans: a record that is cut off": (
        "kmeans",
        RECORDS,
        {"train": RECORD_BYTES[:-5]},
        2,
        f"{UNREADABLE.format(RECORDS, 'RecordError')}part-0: record 60: the file ends within a record",
    ),
    "kmeans: fewer rows than clusters": (
        "kmeans",
        RECORDS,
        {"train": recordio.write_matrix(ROWS[:1, 1:])},
        2,
        "k * extra_center_factor is 2: more centers than the first mini batch has rows (1).",
    ),
}
HYPERPARAMETERS = {"xgboost": BINARY, "linear_learner": LINEAR, "kmeans": {"k": "2", "feature_dim": "4"}}
#: imports what is heavy, then runs each program in a fork with the base directory of its case
_DRIVER = """
import json, os, runpy, sys
import numpy, scipy.sparse, sklearn.linear_model, xgboost
for base, program in json.load(sys.stdin):
    child = os.fork()
    if child == 0:
        os.environ["SAGEMAKER_BASE_DIR"] = base
        sys.path[0] = os.path.dirname(program)
        code = 1
        try:
            runpy.run_path(program, run_name="__main__")
            code = 0
        except SystemExit as end:
            code = end.code
        finally:
            sys.stdout.flush()
            os._exit(code)
    print("exit", os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[int, str]]:
    """Exit code and reason of every case."""
    bases: dict[str, Path] = {}
    programs: list[Any] = []
    for number, (name, (program, content_type, channels, _, _)) in enumerate(CASES.items()):
        bases[name] = tmp_path_factory.mktemp(f"case-{number}")
        prepare(
            bases[name], HYPERPARAMETERS[program], {channel: (content_type, data) for channel, data in channels.items()}
        )
        programs.append((str(bases[name]), str(PROGRAMS / program / "train.py")))
    done = subprocess.run(
        [str(PYTHON), "-u", "-c", _DRIVER],
        input=json.dumps(programs),
        env={"OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    codes = [int(line.split()[1]) for line in done.stdout.splitlines() if line.startswith("exit ")]
    reasons = [base / "output" / "failure" for base in bases.values()]
    texts = [reason.read_text() if reason.exists() else "" for reason in reasons]
    return dict(zip(CASES, zip(codes, texts, strict=True), strict=True))


@pytest.mark.parametrize("name", CASES)
def test_bad_data_fails_the_job_and_says_why(outcomes: dict[str, tuple[int, str]], name: str) -> None:
    code, reason = outcomes[name]
    assert reason.startswith(CASES[name][4]), reason
    assert code == CASES[name][3]
    assert "Traceback" not in reason
