"""The program of `sagemaker-model-monitor-analyzer`: a baseline, or data against one; data quality or model quality.

Results: statistics.json and constraints.json, with a baseline constraint_violations.json too; what it came to is the
job's exit message. What the environment asks for: `job`.
"""

import os
import sys
import traceback
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "shared"))

import checks
import cloudwatch
import job as jobs
import model_quality
import profiles
import records
import sagemaker_io
import suggestions
import traffic
from job import Job
from judgements import Judgements
from records import Table
from sagemaker_io import UserError

#: the exit code of a container that failed
_FAILED = 255


def run(job: Job) -> int | None:
    """Analyse and write; the number of violations, None when there is no baseline to violate. Raises UserError."""
    violations = _model_quality(job) if job.problem else _data_quality(job)
    if violations is not None:
        jobs.write(job.output, "constraint_violations.json", {"violations": violations})
    if job.postprocessor:
        traffic.load_handler(job.postprocessor, "postprocess_handler")()
    return None if violations is None else len(violations)


def _data_quality(job: Job) -> list[dict[str, str]] | None:
    table = _table(job)
    if not table.rows:
        raise UserError("There is no data to analyse.")
    found = profiles.of_table(table)
    jobs.write(job.output, "statistics.json", profiles.statistics(table, found))
    jobs.write(job.output, "constraints.json", suggestions.constraints(found, job.drift_method))
    if job.constraints is None:
        if job.publish:
            cloudwatch.leave(job, cloudwatch.of_data(found, {}))
        return None
    against = checks.Checks(found, job.constraints, job.statistics)
    if job.publish and against.emits_metrics:
        cloudwatch.leave(job, cloudwatch.of_data(found, against.drifts))
    return against.violations()


def _model_quality(job: Job) -> list[dict[str, str]] | None:
    script = traffic.load_handler(job.preprocessor, "preprocess_handler") if job.preprocessor else None
    quality = model_quality.measure(str(job.problem), Judgements.of_job(job, script), job.attributes)
    jobs.write(job.output, "statistics.json", quality.statistics())
    jobs.write(job.output, "constraints.json", quality.constraints())
    if job.publish:
        cloudwatch.leave(job, cloudwatch.of_model(quality.values))
    return quality.violations(job.constraints) if job.constraints is not None else None


def _table(job: Job) -> Table:
    if job.preprocessor and job.form in ("csv", "json"):
        raise UserError("[localcloud] a preprocessing script for a baseline is not supported yet")
    expected = [feature["name"] for feature in (job.constraints or {}).get("features", [])]
    if job.form == "csv":
        return records.read_csv(job.source, bool(job.options.get("header")), expected)
    if job.form == "json":
        return records.read_json(job.source, bool(job.options.get("lines", job.options.get("line", True))))
    indices = job.options.get("captureIndexNames", [traffic.INPUT, traffic.OUTPUT])
    script = traffic.load_handler(job.preprocessor, "preprocess_handler") if job.preprocessor else None
    return traffic.table(job.source, job.window, indices, expected, script)


def message(violations: int | None) -> str:
    """What the exit message says; the status of a monitoring execution is its first word."""
    if violations:
        return f"CompletedWithViolations: Job completed successfully with {violations} violations."
    return "Completed: Job completed successfully with no violations."


def main() -> None:
    """As the container: exit code 0, or 255 with the reason in output/failure."""
    if not jobs.leads():
        return
    try:
        text = message(run(Job.of_environment(os.environ)))
    except UserError as error:
        print(f"ERROR: {error}", file=sys.stderr)
        sagemaker_io.fail(f"Error: {error}", _FAILED)
    except Exception as error:
        traceback.print_exc()
        sagemaker_io.fail(f"Error: {type(error).__name__}: {error}", _FAILED)
    print(text)
    place = sagemaker_io.BASE / "output" / "message"
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(text)


if __name__ == "__main__":
    main()
