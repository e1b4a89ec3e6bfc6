"""What executes pipelines: begins steps whose time has come, waits for their jobs, stops them, and concludes.

Nothing waits on a thread of its own: every end of a job, every start and every stop asks again what can begin. What a
step does, it does as the role of the pipeline. After a failure nothing new begins and what runs is stopped ([K]).
A stop is not prompt: an execution is Stopping until the last job has stopped ([B] StopPipelineExecution).
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any, Protocol

from localcloud.sagemaker.api import model
from localcloud.sagemaker.api.coercion import coerced
from localcloud.sagemaker.core import Core
from localcloud.sagemaker.errors import ServiceError
from localcloud.sagemaker.pipelines import caching, conditions, retries
from localcloud.sagemaker.pipelines.callback_step import CallbackSteps
from localcloud.sagemaker.pipelines.definition import Step
from localcloud.sagemaker.pipelines.events import execution_changed, step_changed
from localcloud.sagemaker.pipelines.expressions import Unresolvable, resolve, text
from localcloud.sagemaker.pipelines.function_step import FunctionSteps
from localcloud.sagemaker.pipelines.quality_check import QualityChecks
from localcloud.sagemaker.pipelines.records import (
    ACTIVE,
    RUNNING,
    ExecutionRecord,
    PipelineRecord,
    StepEnd,
    StepRun,
    StepStatus,
)
from localcloud.sagemaker.pipelines.steps import API_STEPS, ApiStep, PrefixTooLong
from localcloud.sagemaker.pipelines.values import CallAs, ExecutionValues
from localcloud.sagemaker.store import WorkRecord, tag_map

logger = logging.getLogger("localcloud.sagemaker")

_FAILED = "Step failure: One or multiple steps failed."
_REASON = 1024


class OutsideSteps(Protocol):
    """What begins the steps of one type that calls something else than the API of SageMaker."""

    def begin(self, execution: ExecutionRecord, run: StepRun, asked: Mapping[str, Any], end: StepEnd) -> None:
        """Begin, and call ``end`` once, now or later."""

    def stop(self, run: StepRun) -> None:
        """The execution is being stopped."""


#: every execution of a pipeline; hold the lock
ExecutionsOf = Callable[[PipelineRecord], Iterable[ExecutionRecord]]


class Engine:
    """Executes."""

    def __init__(self, core: Core, call: CallAs, executions_of: ExecutionsOf) -> None:
        """``call`` is the service's own API, used as a role; ``executions_of`` finds what a step may use again."""
        self._core = core
        self._executions_of = executions_of
        self._call = call
        self._checks = QualityChecks(call)
        self.callbacks = CallbackSteps(core)
        #: what begins the steps that make nothing through the API of SageMaker, by type
        self._outside: Mapping[str, OutsideSteps] = {"Lambda": FunctionSteps(core), "Callback": self.callbacks}

    def advance(self, execution: ExecutionRecord) -> None:
        """Begin what can begin, or conclude; goes on in the background."""
        self._core.in_background(partial(self._advance, execution))

    def stop(self, execution: ExecutionRecord) -> None:
        """Ask every job that runs to stop. Hold the lock."""
        self._enter(execution, "Stopping")
        self._stop_runs(execution)
        self.advance(execution)

    def retry(self, execution: ExecutionRecord) -> None:
        """Go on where an execution ended: what has not succeeded is begun again. Hold the lock."""
        runs = execution.runs.values()
        execution.before = {run.name: run.attempts for run in runs if run.status != "Succeeded"}
        execution.runs = {run.name: run for run in runs if run.status == "Succeeded"}
        execution.failed, execution.overran, execution.failure = False, False, None
        self._enter(execution, "Executing")
        self.advance(execution)

    def _advance(self, execution: ExecutionRecord) -> None:
        while True:
            with self._core.store.lock:
                claimed = self._claim(execution)
                if not claimed:
                    self._conclude(execution)
                    return
            for run in claimed:
                self._begin(execution, run)

    def _claim(self, execution: ExecutionRecord) -> list[StepRun]:
        """Mark what can begin as Starting, so that nobody else begins it too. Hold the lock."""
        if execution.status != "Executing" or execution.failed:
            return []
        room = execution.max_parallel - sum(run.status in ACTIVE for run in execution.runs.values())
        ready = [step for step in execution.definition.steps.values() if _is_ready(step, execution)]
        now, claimed = self._core.clock.now(), []
        for step in ready[: max(room, 0)]:
            run = StepRun(execution.scope, step.name, "", {}, now, now, "Starting")
            run.sequence = self._core.store.number()
            run.attempts += execution.before.get(step.name, 0)
            execution.runs[step.name] = run
            step_changed(self._core, execution, run, None)
            claimed.append(run)
        return claimed

    def _conclude(self, execution: ExecutionRecord) -> None:
        """The end, when nothing runs any more. Hold the lock."""
        if execution.status not in RUNNING or any(run.status in ACTIVE for run in execution.runs.values()):
            return
        if execution.status == "Stopping" and not execution.overran:
            self._enter(execution, "Stopped")
        elif execution.failed:
            execution.failure = _FAILED
            self._enter(execution, "Failed")
        else:
            self._enter(execution, "Succeeded")

    def _begin(self, execution: ExecutionRecord, run: StepRun) -> None:
        step = execution.definition.steps[run.name]
        values = ExecutionValues(self._core, self._call, execution)
        try:
            if step.type == "Condition":
                run.outcome = all(conditions.holds(each, values) for each in step.arguments["Conditions"])
                self._end(execution, run, "Succeeded")
            elif step.type == "Fail":
                self._end(execution, run, "Failed", text(resolve(step.arguments.get("ErrorMessage", ""), values)))
            else:
                asked = resolve(step.asked, values)
                if step.cache is not None and self._reuse(execution, run, step, asked):
                    return
                if step.type in self._outside:
                    with self._core.store.lock:
                        self._set(execution, run, "Executing")
                    self._outside[step.type].begin(execution, run, asked, partial(self._end, execution, run))
                elif step.type == "QualityCheck":
                    self._make(execution, run, step, self._checks.prepare(execution, run, asked))
                    self._checks.made(run)
                else:
                    self._make(execution, run, step, asked["Arguments"])
        except (Unresolvable, PrefixTooLong) as reason:
            self._end(execution, run, "Failed", f"ClientError: {reason}")
        # a definition may be wrong in ways that nothing checked, and the step must end whatever happens
        except Exception as error:
            logger.exception("step %s of %s", run.name, execution.arn)
            self._end(execution, run, "Failed", f"InternalServerError: [localcloud] {type(error).__name__}: {error}")

    def _make(self, execution: ExecutionRecord, run: StepRun, step: Step, arguments: dict[str, Any]) -> None:
        """Call the API for a step, and wait when what it makes is a job."""
        api = API_STEPS[step.type]
        if step.type == "RegisterModel":
            self._make_group(execution, arguments)
        else:
            name = api.job_name(execution.id, step.name, arguments.get(api.name), run.attempts - 1)
            # the pipeline's tags are passed on, a step's own win
            tags = {**execution.pipeline.tags, **tag_map(arguments.get("Tags"))}
            arguments = {**arguments, api.name: name, "Tags": _tag_list(tags)}
        parameters = coerced(model.input_shape(api.create), arguments)
        try:
            reply = self._call(execution.role_arn, api.create, parameters, execution.scope)
        except ServiceError as refused:
            reason = f"ClientError: Failed to invoke sagemaker:{api.create}. Error Details: {refused.message}"
            self._failed(execution, run, reason, retries.of_call(refused))
            return
        with self._core.store.lock:
            run.made = reply[api.arn]
            self._set(execution, run, "Executing")
            record = self._core.store.by_arn(run.made)
            stopping = execution.failed or execution.status != "Executing"
        if not api.waits or not isinstance(record, WorkRecord):
            self._end(execution, run, "Succeeded")
            return
        self._core.store.watch(record, partial(self._job_ended, execution, run, record))
        if stopping:
            self._stop_job(execution, run, api)

    def _make_group(self, execution: ExecutionRecord, arguments: dict[str, Any]) -> None:
        """A step that registers a model makes its group when there is none ([K]), with the pipeline's tags."""
        group = {"ModelPackageGroupName": arguments.get("ModelPackageGroupName", "")}
        try:
            self._call(execution.role_arn, "DescribeModelPackageGroup", group, execution.scope)
        except ServiceError as missing:
            if "does not exist" in missing.message:
                tags = _tag_list(execution.pipeline.tags)
                try:
                    parameters = {**group, "Tags": tags}
                    self._call(execution.role_arn, "CreateModelPackageGroup", parameters, execution.scope)
                except ServiceError as refused:
                    if "already exists" not in refused.message:  # another execution was faster
                        raise Unresolvable(f"CreateModelPackageGroup: {refused.message}") from None

    def _job_ended(self, execution: ExecutionRecord, run: StepRun, record: WorkRecord) -> None:
        if record.status == "Completed":
            failure = self._look(execution, run) or (run.judge(record) if run.judge else None)
            self._end(execution, run, "Failed" if failure else "Succeeded", failure)
        elif record.status == "Stopped" and run.status == "Stopping":
            self._end(execution, run, "Stopped")
        else:
            reason = record.failure_reason or f"The job {record.name} was stopped."
            kind = retries.of_job(execution.definition.steps[run.name], record)
            self._failed(execution, run, f"ClientError: {reason}", kind)

    def _look(self, execution: ExecutionRecord, run: StepRun) -> str | None:
        """Describe a completed job as the pipeline's role, as AWS does while it waits; why that role may not.

        What it says is kept: a step that uses it again later needs no job that somebody may have deleted by then.
        """
        api = API_STEPS[execution.definition.steps[run.name].type]
        name = (run.made or "").rpartition("/")[2]
        try:
            reply = self._call(execution.role_arn, api.describe, {api.name: name}, execution.scope)
        except ServiceError as refused:
            denied = refused.code == "AccessDeniedException"
            return (
                f"ClientError: Failed to invoke sagemaker:{api.describe}. Error Details: {refused.message}"
                if denied
                else None
            )
        if run.properties is None and api.noun != "HyperParameterTuningJob":  # its trials belong to it
            run.properties = reply
        return None

    def _reuse(self, execution: ExecutionRecord, run: StepRun, step: Step, asked: dict[str, Any]) -> bool:
        """End a step with the results of an earlier run, if there is one that may be used again."""
        with self._core.store.lock:
            run.cache_key = caching.key(step, asked)
            executions, now = self._executions_of(execution.pipeline), self._core.clock.now()
            whole = self._core.switches.get("step-cache") == "succeeded-executions"
            found = caching.find(executions, step, run.cache_key, now, whole)
            if found is None:
                return False
            source, earlier = found
            run.made, run.metadata, run.properties = earlier.made, earlier.metadata, earlier.properties
            run.reused = source.arn
        self._end(execution, run, "Succeeded")
        return True

    def _failed(self, execution: ExecutionRecord, run: StepRun, reason: str, kind: str | None) -> None:
        """A call or a job failed: the step waits and tries again, or ends."""
        step, now = execution.definition.steps[run.name], self._core.clock.now()
        with self._core.store.lock:
            goes_on = execution.status == "Executing" and not execution.failed
            seconds = retries.wait(step, run, kind, now) if goes_on else None
            if seconds is not None:
                logger.info("step %s of %s is tried again in %s s: %s", run.name, execution.arn, seconds, reason)
                run.attempts += 1
                run.timer = self._core.clock.call_later(seconds, partial(self._again, execution, run), kind="settle")
                return
        self._end(execution, run, "Failed", reason)

    def _again(self, execution: ExecutionRecord, run: StepRun) -> None:
        with self._core.store.lock:
            if run.timer is None:
                return
            run.timer = None
            if execution.status != "Executing" or execution.failed:
                self._end(execution, run, "Stopped")
                return
        self._core.in_background(partial(self._begin, execution, run))

    def _end(self, execution: ExecutionRecord, run: StepRun, status: StepStatus, failure: str | None = None) -> None:
        with self._core.store.lock:
            run.failure = failure[:_REASON] if failure else None
            run.ended = self._core.clock.now()
            self._set(execution, run, status)
            if status == "Failed" and not execution.failed:
                execution.failed = True
                # beside a Fail step everything that runs comes to its own end ([DG] build-and-manage-steps-types)
                if execution.definition.steps[run.name].type != "Fail":
                    self._stop_runs(execution)
        self.advance(execution)

    def _stop_runs(self, execution: ExecutionRecord) -> None:
        """Hold the lock."""
        for run in execution.runs.values():
            kind = execution.definition.steps[run.name].type
            api = API_STEPS.get(kind)
            if run.timer:
                run.timer.cancel()
                run.timer = None
                self._end(execution, run, "Stopped")
            elif run.status == "Executing" and kind in self._outside:
                self._core.in_background(partial(self._outside[kind].stop, run))
            elif run.status == "Executing" and api and api.waits:
                self._core.in_background(partial(self._stop_job, execution, run, api))

    def _stop_job(self, execution: ExecutionRecord, run: StepRun, api: ApiStep) -> None:
        with self._core.store.lock:
            if run.status != "Executing" or run.made is None:
                return
            self._set(execution, run, "Stopping")
            name = run.made.rpartition("/")[2]
        try:
            self._call(execution.role_arn, api.stop, {api.name: name}, execution.scope)
        except ServiceError as refused:
            # the job has just ended, or the role may not stop it: then the execution waits for its own end
            logger.info("%s: %s", execution.arn, refused)

    def _set(self, execution: ExecutionRecord, run: StepRun, status: StepStatus) -> None:
        """Another status of a step; hold the lock."""
        previous, run.status = run.status, status
        run.modified = self._core.clock.now()
        if status != previous:  # a step that is tried again stays what it was
            step_changed(self._core, execution, run, previous)
        self._core.store.changed.notify_all()

    def _enter(self, execution: ExecutionRecord, status: str) -> None:
        """Another status of an execution; hold the lock."""
        previous, execution.status = execution.status, status
        execution.modified = self._core.clock.now()
        execution_changed(self._core, execution, previous)
        self._core.store.changed.notify_all()


def _is_ready(step: Step, execution: ExecutionRecord) -> bool:
    """Whether nothing holds a step back: all that it waits for has succeeded and its branch was taken."""
    runs = execution.runs
    if step.name in runs or (execution.selected is not None and step.name not in execution.selected):
        return False
    if any(name not in runs or runs[name].status != "Succeeded" for name in step.after):
        return False
    return step.branch is None or runs[step.branch[0]].outcome == step.branch[1]


def _tag_list(tags: dict[str, str]) -> list[dict[str, str]]:
    # tags of CloudFormation's own cannot be given
    return [{"Key": key, "Value": value} for key, value in tags.items() if not key.startswith("aws:")]
