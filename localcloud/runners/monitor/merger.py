"""The program of `sagemaker-model-monitor-groundtruth-merger`: captured traffic together with the labels that came.

A label belongs to the captured request whose inferenceId, or without one whose eventId, it names (developer guide,
model-monitor-model-quality-merge.html). Requests without a label are left out; of two labels for one request the one
in the later file counts. Results keep the folders of what was captured: `<endpoint>/<variant>/yyyy/mm/dd/hh`.
"""

import json
import os
import sys
import traceback
import uuid
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "shared"))

import job as jobs
import records
import sagemaker_io
from sagemaker_io import UserError

#: the exit code of a container that failed
_FAILED = 255


def merge(captured: Path, truth: Path, output: Path) -> tuple[int, int]:
    """Write what belongs together: (captured requests, those with a label). Raises UserError."""
    known = dict(_labels(truth))
    merged: dict[Path, list[str]] = {}
    seen = 0
    for path in records.files(captured):
        for record, _ in records.captured(path, None):
            seen += 1
            label = known.get(_identity(record))
            if label is not None:
                line = json.dumps({**record, "groundTruthData": label})
                merged.setdefault(path.parent.relative_to(captured), []).append(line)
    for folder, lines in merged.items():
        target = output / folder
        target.mkdir(parents=True, exist_ok=True)
        name = f"part-00000-{uuid.uuid5(uuid.NAMESPACE_URL, str(folder))}.c000.jsonl"
        (target / name).write_text("\n".join(lines) + "\n", encoding="utf-8")
    return seen, sum(len(lines) for lines in merged.values())


def _labels(truth: Path) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """(id, groundTruthData) of each label, in the order of the files."""
    for path in records.files(truth):
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
            if not line.strip():
                continue
            where = f"{path.name}, line {number}"
            record = records.parse_json(line, where)
            try:
                yield str(record["eventMetadata"]["eventId"]), dict(record["groundTruthData"])
            except (KeyError, TypeError, ValueError):
                raise UserError(f"{where} is no label: it needs groundTruthData and eventMetadata.eventId") from None


def _identity(record: Mapping[str, Any]) -> str:
    metadata = record.get("eventMetadata", {})
    return str(metadata.get("inferenceId") or metadata.get("eventId"))


def main() -> None:
    """As the container: exit code 0, or 255 with the reason in output/failure."""
    if not jobs.leads():
        return
    try:
        places = []
        for variable in ("dataset_source", "ground_truth_source", "output_path"):
            if not os.environ.get(variable):
                raise UserError(f"The environment variable {variable} is required.")
            places.append(jobs.place(os.environ[variable]))
        seen, labelled = merge(*places)
    except UserError as error:
        print(f"ERROR: {error}", file=sys.stderr)
        sagemaker_io.fail(f"Error: {error}", _FAILED)
    except Exception as error:
        traceback.print_exc()
        sagemaker_io.fail(f"Error: {type(error).__name__}: {error}", _FAILED)
    print(f"{labelled} of {seen} captured requests have a label")


if __name__ == "__main__":
    main()
