"""``sandcastle evaluate WORKLOAD``: the whole test split through the endpoint, judged."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from operations.console import Console
from operations.errors import UsageError
from operations.evaluation import (
    Outcome,
    compare,
    comparison_json,
    evaluate,
    plain_model,
    render_comparison,
    render_terminal,
    to_json,
)
from operations.project import display
from operations.served import ServedWorkload
from operations.target import Target


def evaluate_workload(
    target: Target, environment: str, workload: str, folder: Path, console: Console, *, baseline: bool = True
) -> dict[str, Any]:
    """Send the test split in batches, show what comes of it, and write it as PNG and JSON into the folder.

    With ``baseline`` a plain scikit-learn model is trained on the same training rows, here, and shown beside the
    endpoint: a second for samples, up to minutes for the full data sets.
    Raises OperationError when the workload is not deployed or an answer cannot be understood.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"--out {folder}: {error.strerror}") from error
    served = ServedWorkload.find(target, environment, workload)
    console.step(f"sending the test split of {workload} to {served.endpoint}")
    outcome = evaluate(workload, served.test.rows, served.test.about, served.spec, served.invoke)
    console.show(render_terminal(outcome))
    report = to_json(outcome)
    if baseline:
        report["scikit_learn"] = _compared(served, outcome, console)
    from operations.plots import write_picture  # matplotlib takes longer to load than all of the above

    picture, document = folder / f"{workload}.png", folder / f"{workload}.json"
    write_picture(outcome, served.test, picture)
    document.write_text(json.dumps(report, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    console.say(f"Written: {display(picture)}, {display(document)}")
    return report


def _compared(served: ServedWorkload, outcome: Outcome, console: Console) -> dict[str, Any]:
    """Train the plain model and show its marks beside the endpoint's."""
    console.step("training a plain scikit-learn model on the same rows, to compare")
    plain = plain_model(served.spec, served.train_files, served.test.rows, served.test.about)
    found = compare(outcome, plain)
    console.show(render_comparison(plain, found))
    return comparison_json(plain, found)
