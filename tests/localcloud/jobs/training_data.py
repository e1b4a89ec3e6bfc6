"""What XGBoost is trained on here: a table that four numbers decide, as channels; and what an archive holds."""

from __future__ import annotations

import io
import random
import tarfile
from typing import Any

from localcloud.jobs.executor import InputSpec

GROUP = "/aws/sagemaker/TrainingJobs"
HYPERPARAMETERS = {
    "num_round": "8",
    "max_depth": "3",
    "objective": "binary:logistic",
    "eval_metric": "auc,error",
}


def table(seed: int, rows: int) -> str:
    """Label first; the label is decided by the first two of four columns."""
    numbers = random.Random(seed)  # noqa: S311 - a seeded table, nothing secret
    lines = []
    for _ in range(rows):
        values = [numbers.gauss(0, 1) for _ in range(4)]
        lines.append(",".join(f"{value:.5f}" for value in [float(values[0] + values[1] > 0), *values]))
    return "\n".join(lines) + "\n"


def channel(name: str, uri: str, content_type: str = "text/csv", **fields: Any) -> InputSpec:
    return InputSpec(name, uri, content_type=content_type, **fields)


def members(archive: bytes) -> dict[str, bytes]:
    with tarfile.open(fileobj=io.BytesIO(archive)) as opened:
        files = {each.name: opened.extractfile(each) for each in opened}
        return {name: file.read() for name, file in files.items() if file is not None}  # None: no file
