"""The janitors of a notebook instance, each at its place in the order of deletion.

    NotebookRest    before the instance goes: it is brought to a state in which it can be deleted
    NotebookLogs    when the instance and its role are gone: what it logged

Reasons: facts on teardown, 1.6 and 2.3. Who depends on whom is written in ``stacks/notebook.py``.
"""

from __future__ import annotations

from constructs import Construct

from sandcastle.code import UploadedAsset
from sandcastle.janitor import Janitor
from sandcastle.notebook_role import NOTEBOOK_LOGS
from sandcastle.permissions import GROUP_REASON, log_group_arn, sagemaker_arn
from sandcastle.promises import may, may_not
from sandcastle.roles import Statement


def notebook_rest(scope: Construct, construct_id: str, *, code: UploadedAsset, name: str, prefix: str) -> Janitor:
    """Make the janitor that stops the instance; ``prefix`` is what the names of all instances of the stack have."""
    ours = sagemaker_arn("notebook-instance", f"{prefix}*")
    return Janitor(
        scope,
        construct_id,
        kind="Custom::SandcastleNotebookRest",
        handler="notebook_rest.handler",
        description="Stops the notebook instance before it is deleted",
        code=code,
        statements=[
            Statement(
                ["sagemaker:DescribeNotebookInstance", "sagemaker:StopNotebookInstance"],
                [ours],
                reason="instances of this stack: one may replace another, with another end of its name",
            )
        ],
        promises=[
            may("sagemaker:StopNotebookInstance", ours),
            may_not("sagemaker:StopNotebookInstance", sagemaker_arn("notebook-instance", "other")),
            may_not("sagemaker:DeleteNotebookInstance", "*"),
        ],
        properties={"Name": name},
    )


def notebook_logs(scope: Construct, construct_id: str, *, code: UploadedAsset, prefix: str) -> Janitor:
    """Make the janitor of what instances logged whose names have the prefix."""
    logs = log_group_arn(NOTEBOOK_LOGS)
    return Janitor(
        scope,
        construct_id,
        kind="Custom::SandcastleNotebookLogs",
        handler="notebook_logs.handler",
        description="Deletes what the notebook instance logged",
        code=code,
        statements=[
            Statement(["logs:DescribeLogStreams"], [f"{logs}:*"], reason=GROUP_REASON),
            Statement(
                ["logs:DeleteLogStream"],
                [f"{logs}:log-stream:{prefix}*"],
                reason="streams of this stack's instances; the rest of the name is SageMaker's",
            ),
        ],
        promises=[
            may("logs:DeleteLogStream", f"{logs}:log-stream:{prefix}*"),
            may_not("logs:DeleteLogStream", f"{logs}:log-stream:other/*"),
            may_not("logs:DeleteLogGroup", "*"),
            may_not("logs:GetLogEvents", "*"),
        ],
        properties={"Prefix": prefix},
    )
