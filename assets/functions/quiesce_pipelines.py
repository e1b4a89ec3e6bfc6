"""Pipelines: executions are stopped, and pipelines that no stack knows are deleted.

A pipeline is not deleted while one of its executions runs, and CloudFormation stops none (facts on teardown, 1.15).
Stopping takes as long as the steps that are functions. Those that wait for somebody's answer it waits for as well, for
which nobody may be left: so they are answered here.
"""

from __future__ import annotations

from ours import Ours, counted

_RUNNING = ("Executing", "Stopping")
_ANSWER = "The environment is being destroyed."


def stop_pipelines(ours: Ours) -> list[str]:
    """Take one step; return the executions and pipelines that are left, in words. Raises ClientError."""
    executions, pipelines, refusal = [], [], ""
    for pipeline in ours.listed("list_pipelines", "PipelineSummaries", "PipelineName", "PipelineArn"):
        name = pipeline["PipelineName"]
        pages = ours.sagemaker.get_paginator("list_pipeline_executions").paginate(PipelineName=name)
        running = [
            execution
            for page in pages
            for execution in page["PipelineExecutionSummaries"]
            if execution["PipelineExecutionStatus"] in _RUNNING
        ]
        for execution in running:
            arn = execution["PipelineExecutionArn"]
            if execution["PipelineExecutionStatus"] == "Executing":
                stop = ours.sagemaker.stop_pipeline_execution
                refusal = ours.ask(stop, PipelineExecutionArn=arn) or refusal
            else:
                _answer(ours, arn)
            executions.append(f"{name}/{arn.rsplit('/', 1)[-1]}")
        if not running and not ours.from_a_stack(pipeline["PipelineArn"]):
            refusal = ours.ask(ours.sagemaker.delete_pipeline, PipelineName=name) or refusal
            pipelines.append(name)
    left = [counted("pipeline execution", executions, refusal), counted("pipeline", pipelines, refusal)]
    return [text for text in left if text]


def _answer(ours: Ours, execution: str) -> None:
    """Tell the steps that wait for an answer that there will be none."""
    pages = ours.sagemaker.get_paginator("list_pipeline_execution_steps").paginate(PipelineExecutionArn=execution)
    for step in (step for page in pages for step in page["PipelineExecutionSteps"]):
        token = step.get("Metadata", {}).get("Callback", {}).get("CallbackToken")
        if token and step["StepStatus"] in _RUNNING:
            fail = ours.sagemaker.send_pipeline_execution_step_failure
            ours.ask(fail, CallbackToken=token, FailureReason=_ANSWER)
