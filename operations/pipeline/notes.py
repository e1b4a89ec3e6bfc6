"""What steps say for themselves, in a few words: how many trials have ended, which model was the best."""

from __future__ import annotations

from typing import Any

from operations.pipeline.execution import Execution, State, StepRun
from operations.target import Target

_LENGTH = 60
"""Characters of a note."""

_WORD = 24
"""Characters of one answer of a function: addresses and names of resources are longer."""


class Notes:
    """Notes on the steps of one execution; what a step made is asked for once when it has ended."""

    def __init__(self, target: Target) -> None:
        """Nothing was asked yet."""
        self._sagemaker = target.client("sagemaker")
        self._kept: dict[str, str] = {}

    def of(self, execution: Execution) -> dict[str, str]:
        """Return the notes by the step's name."""
        found = {}
        for name, run in execution.steps.items():
            if name not in execution.plan.steps:
                continue
            note = self._kept.get(name) or self._note(execution.plan.steps[name].kind, run)
            if run.state.ended and note:
                self._kept[name] = note
            if note:
                found[name] = note if len(note) <= _LENGTH else note[: _LENGTH - 1] + "…"
        return found

    def _note(self, kind: str, run: StepRun) -> str:
        made = run.made.rpartition("/")[2]
        if run.state is State.FAILED:
            return str(run.metadata.get("Fail", {}).get("ErrorMessage") or run.reason)
        match kind:
            case "Condition":
                return {True: "yes", False: "no", None: ""}[run.outcome]
            case "Lambda":
                return _answered(run.metadata.get("Lambda", {}).get("OutputParameters") or [])
            case "Tuning" if made:
                return self._trials(made)
            case "RegisterModel" if made:
                return f"version {made}"
        return ""

    def _trials(self, name: str) -> str:
        job = self._sagemaker.describe_hyper_parameter_tuning_job(HyperParameterTuningJobName=name)
        done = job["TrainingJobStatusCounters"].get("Completed", 0)
        limit = job["HyperParameterTuningJobConfig"]["ResourceLimits"].get("MaxNumberOfTrainingJobs")
        best = job.get("BestTrainingJob", {}).get("FinalHyperParameterTuningJobObjectiveMetric")
        trials = f"{done} of {limit} trials" if limit else f"{done} trials"
        return f"{trials}, best {best['MetricName']} {best['Value']:.4g}" if best else trials


def _answered(outputs: list[dict[str, Any]]) -> str:
    """Return what a function answered, long texts left out; of a number and its text only the text."""
    values = {one["Name"]: str(one.get("Value", "")) for one in outputs}
    shown = {name: values.get(f"{name}_text", value) for name, value in values.items() if not name.endswith("_text")}
    return ", ".join(f"{name} {value}" for name, value in shown.items() if 0 < len(value) <= _WORD)
