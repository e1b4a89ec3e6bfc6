"""``sandcastle evaluate WORKLOAD``: the whole test split through the endpoint, judged."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from operations.console import Console
from operations.errors import UsageError
from operations.evaluation import evaluate, render_terminal, to_json
from operations.project import display
from operations.served import ServedWorkload
from operations.target import Target


def evaluate_workload(
    target: Target, environment: str, workload: str, folder: Path, console: Console
) -> dict[str, Any]:
    """Send the test split in batches, show the confusion matrix, and write it as PNG and JSON into the folder.

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
    from operations.plots import write_png  # matplotlib takes longer to load than all of the above

    picture, document = folder / f"{workload}.png", folder / f"{workload}.json"
    write_png(outcome, picture)
    report = to_json(outcome)
    document.write_text(json.dumps(report, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    console.say(f"Written: {display(picture)}, {display(document)}")
    return report
