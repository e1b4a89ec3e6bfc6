"""What a person may do with data: everything in one folder of one's own, reading in those of workloads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sandcastle.naming import WorkloadNames
from sandcastle.permissions import list_objects, sagemaker_arn
from sandcastle.roles import Statement
from sandcastle.tutorials import Tutorial

_FOLDERS = "the user's own folder, in which the user names the objects, and those of workloads, which hold fingerprints"


@dataclass(frozen=True)
class UserData:
    """The buckets that people work with: a folder for each in the first, workloads' folders in both."""

    data_arn: str
    models_arn: str

    def statements(
        self, home: str, workloads: Sequence[WorkloadNames], tutorials: Sequence[Tutorial]
    ) -> list[Statement]:
        """Allow all that one does with objects below ``home``, and to read and ask the workloads.

        ``home`` is such as ``users/ada/``; ``tutorials`` are those that may be read.
        """
        own, folders = f"{home}*", [f"{one.workload}/*" for one in workloads]
        read = [f"{self.data_arn}/{folder}" for folder in (own, *folders)]
        read += [f"{self.models_arn}/{folder}" for folder in folders]
        statements = [
            Statement(["s3:GetObject"], [*read, *(tutorial.object_arn for tutorial in tutorials)], reason=_FOLDERS),
            Statement(
                ["s3:PutObject", "s3:AbortMultipartUpload", "s3:DeleteObject"],
                [f"{self.data_arn}/{own}"],
                reason=_FOLDERS,
                unseen={"s3:AbortMultipartUpload": "an upload in parts that breaks off"},
            ),
            Statement(
                ["s3:GetBucketLocation"],
                [self.data_arn],
                unseen={"s3:GetBucketLocation": "the SageMaker SDK asks for it"},
            ),
            list_objects(self.data_arn, own, *folders),
        ]
        if workloads:
            statements += [
                list_objects(self.models_arn, *folders),
                Statement(
                    ["sagemaker:DescribeEndpoint", "sagemaker:InvokeEndpoint"],
                    [sagemaker_arn("endpoint", f"{one.job_prefix}-*") for one in workloads],
                    reason="endpoints of workloads that the user is given; the end of the name is the stack's",
                ),
            ]
        return statements
