"""The portable analyzer: a baseline, or data against one; data quality or model quality, on any processing image.

It reads what Model Monitor's container reads and writes what that writes: statistics.json, constraints.json, with a
baseline constraint_violations.json, and the job's exit message. Beside them lies ``intake.json``, the account of all
that came in. What the environment asks for: ``settings``. Python 3.8 and numpy are enough; rows are streamed.
"""

from __future__ import annotations

import json
import os
import sys
import traceback
from pathlib import Path
from typing import Any, Mapping

import metric_files
import quality
import settings as environment
import sources
import verdicts
from intake import Account
from settings import BASE, Settings, UserError
from truth import Accounts

_FAILED = 255
"""The exit code of Model Monitor's container when it fails."""


def run(settings: Settings) -> int | None:
    """Analyse and write; return the number of violations, None for a baseline. Raises UserError."""
    if settings.problem:
        account = Accounts()
        violations = _model_quality(settings, account)
        report = account.report()
    else:
        captured = Account()
        violations, report = _data_quality(settings, captured), {"source": captured.report()}
    if violations is not None:
        write(settings.output, "constraint_violations.json", {"violations": violations})
    write(settings.output, "intake.json", report)
    print(json.dumps(report, indent=2))
    return None if violations is None else len(violations)


def _data_quality(settings: Settings, account: Account) -> list[dict[str, str]] | None:
    table = sources.table(settings, account)
    columns, rows = table.columns(), table.rows
    if not rows and settings.constraints is None:
        raise UserError("There is no data to analyse.")
    statistics = {
        "version": verdicts.VERSION,
        "dataset": {"item_count": rows},
        "features": [
            {"name": name, "inferred_type": column.inferred_type, **column.statistics(rows)}
            for name, column in columns.items()
        ],
    }
    write(settings.output, "statistics.json", statistics)
    write(settings.output, "constraints.json", verdicts.suggestions(columns, rows))
    metrics = metric_files.of_input(sum(account.rejected.values()))
    if settings.constraints is None:
        if settings.publish:
            metric_files.leave(settings, metric_files.of_data(columns, rows, {}))
        return None
    against = verdicts.Checks(columns, rows, settings.constraints, settings.statistics)
    if settings.publish and against.emits_metrics:
        metric_files.leave(settings, metrics + metric_files.of_data(columns, rows, against.drifts))
    return against.violations()


def _model_quality(settings: Settings, accounts: Accounts) -> list[dict[str, str]] | None:
    found = quality.measure(settings, accounts)
    if found is None:
        if settings.constraints is None:
            raise UserError("There is no row with a prediction and its ground truth in the data to analyse.")
        nothing = quality.nothing(str(settings.problem))
        write(settings.output, "statistics.json", nothing.statistics())
        write(settings.output, "constraints.json", nothing.constraints())
        return []
    write(settings.output, "statistics.json", found.statistics())
    write(settings.output, "constraints.json", found.constraints())
    if settings.publish:
        rejected = metric_files.of_input(accounts.rejected) if settings.constraints is not None else []
        metric_files.leave(settings, rejected + metric_files.of_model(found.values))
    return found.violations(settings.constraints) if settings.constraints is not None else None


def write(output: Path, name: str, content: Mapping[str, Any]) -> None:
    """Write one of the result files; for a person to read, but for the statistics with all their sketches."""
    output.mkdir(parents=True, exist_ok=True)
    indent = None if name == "statistics.json" else 2
    (output / name).write_text(json.dumps(content, indent=indent, allow_nan=False) + "\n", encoding="utf-8")


def message(violations: int | None) -> str:
    """Return what the exit message says; the status of a monitoring execution is its first word."""
    if violations:
        return f"CompletedWithViolations: Job completed successfully with {violations} violations."
    return "Completed: Job completed successfully with no violations."


def main() -> None:
    """Run as the container: exit code 0, or 255 with the reason in output/failure."""
    if not environment.leads():
        return
    try:
        text = message(run(Settings.of(os.environ)))
    except UserError as error:
        _fail(f"Error: {error}")
    except Exception as error:
        traceback.print_exc()
        _fail(f"Error: {type(error).__name__}: {error}")
    print(text)
    _leave("message", text)


def _fail(text: str) -> None:
    print(text, file=sys.stderr)
    _leave("failure", text)
    sys.exit(_FAILED)


def _leave(name: str, text: str) -> None:
    path = BASE / "output" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
