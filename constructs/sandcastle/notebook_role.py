"""The execution role of a notebook instance: everything that whoever works on it, and its jobs, may do."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from constructs import Construct

from sandcastle.acknowledgements import Acknowledgement, acknowledge_wildcards
from sandcastle.config import NOTEBOOK_USER, Environment
from sandcastle.naming import StudioNames, WorkloadNames
from sandcastle.permissions import ACCOUNT, PARTITION, log_group_arn, sagemaker_arn
from sandcastle.promises import METADATA_KEY, Promise, may, may_not
from sandcastle.resource import Resource
from sandcastle.roles import ServiceRole, Statement, policy_document
from sandcastle.tutorials import Tutorial
from sandcastle.user_data import UserData
from sandcastle.user_permissions import as_oneself, own_job_logs, own_tags, running_jobs, with_own_names, with_own_tags

NOTEBOOK_LOGS = "/aws/sagemaker/NotebookInstances"
"""Where notebook instances and their lifecycle scripts log, in streams that begin with the instance's name."""

HOME = f"{NOTEBOOK_USER}/"
"""The notebook's own folder in the data bucket."""


class NotebookRole(Construct):
    """Like a user of Studio who is given all workloads, and besides that stops the instance itself.

    What is started by the role carries the user ``notebook`` as a tag: several people may work on one instance, and
    nothing tells them apart.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        environment: Environment,
        name: str,
        buckets: UserData,
        tutorials: Sequence[Tutorial],
        instances: Sequence[str],
        images: Sequence[str],
    ) -> None:
        """``name`` is the instance's; ``instances`` and ``images`` are what jobs and endpoints may run on and run."""
        super().__init__(scope, construct_id)
        self.role = ServiceRole(
            self,
            "Role",
            service="sagemaker.amazonaws.com",
            source_account=True,
            description="Notebook instance",
            statements=[
                *buckets.statements(HOME, _workloads(environment), tutorials),
                Statement(["sagemaker:StopNotebookInstance"], [sagemaker_arn("notebook-instance", name)]),
                *running_jobs(
                    images,
                    logging_to=[log_group_arn(NOTEBOOK_LOGS)],
                    streams=[f"{log_group_arn(NOTEBOOK_LOGS)}:log-stream:{name}/*"],
                ),
            ],
            promises=_promises(environment, name, buckets),
        )
        prefix = StudioNames(environment.name).user_prefix(NOTEBOOK_USER)
        self._own = [
            *with_own_tags(environment.name, NOTEBOOK_USER, instances),
            *with_own_names(prefix, instances),
            own_job_logs(prefix),
            as_oneself(self.role.arn),
        ]
        self.policy = Resource(
            self,
            "OwnJobs",
            "AWS::IAM::ManagedPolicy",  # apart, because the role cannot name itself; see ``UserRole.enter``
            tagged=False,  # CloudFormation tags no managed policies
            Description="Notebook instance: its own jobs and endpoints",
            Roles=[self.role.resource.ref],
            PolicyDocument=policy_document(self._own),
        )
        promises = _own_promises(environment.name, self.role.arn, instances)
        self.policy.add_metadata(METADATA_KEY, [promise.to_metadata() for promise in promises])
        self.role.tell_unseen(self._own)

    def acknowledgements(self) -> Iterator[Acknowledgement]:
        """Every wildcard in the policy for its own jobs, with its statement's reason."""
        pairs = [(resource, one.reason) for one in self._own for resource in one.resources]
        yield from acknowledge_wildcards(self.policy, pairs)


def _workloads(environment: Environment) -> list[WorkloadNames]:
    return [WorkloadNames(environment.name, workload.name) for workload in environment.workloads]


def _promises(environment: Environment, name: str, buckets: UserData) -> list[Promise]:
    data = buckets.data_arn
    mine, other = (sagemaker_arn("notebook-instance", one) for one in (name, "other"))
    logs = log_group_arn(NOTEBOOK_LOGS)
    return [
        may("s3:GetObject", f"{data}/{HOME}*"),
        may("s3:PutObject", f"{data}/{HOME}*"),
        may_not("s3:GetObject", f"{data}/users/*"),
        may_not("s3:ListBucket", data, **{"s3:prefix": "users/ada/"}),
        may_not("s3:PutObject", f"{buckets.models_arn}/*"),
        *(may("s3:GetObject", f"{data}/{workload.name}/*") for workload in environment.workloads),
        *(may_not("s3:PutObject", f"{data}/{workload.name}/*") for workload in environment.workloads),
        may("sagemaker:StopNotebookInstance", mine),
        may_not("sagemaker:StopNotebookInstance", other),
        may_not("sagemaker:StartNotebookInstance", "*"),
        may_not("sagemaker:CreatePresignedNotebookInstanceUrl", "*"),
        may("logs:PutLogEvents", f"{logs}:log-stream:{name}/*"),
        may_not("logs:PutLogEvents", f"{logs}:log-stream:other/*"),
        may_not("iam:PutRolePolicy", "*"),
        may_not("kms:CreateKey", "*"),
    ]


def _own_promises(environment: str, role_arn: str, instances: Sequence[str]) -> list[Promise]:
    job = sagemaker_arn("training-job", "job")
    mine, theirs = (
        sagemaker_arn("training-job", f"{StudioNames(environment).user_prefix(one)}job")
        for one in (NOTEBOOK_USER, "ada")
    )
    instance, another = ({"sagemaker:InstanceTypes": one} for one in (instances[0], "ml.other"))
    made = {one: own_tags(environment, one, "RequestTag") for one in (NOTEBOOK_USER, "ada")}
    resource_tag = "aws:ResourceTag/sandcastle:"
    others = ({f"{resource_tag}user": "ada"}, {f"{resource_tag}environment": f"{environment}-b"})
    passed = {"iam:PassedToService": "sagemaker.amazonaws.com"}
    return [
        may("sagemaker:CreateTrainingJob", job, **made[NOTEBOOK_USER], **instance),
        may_not("sagemaker:CreateTrainingJob", job, **made[NOTEBOOK_USER], **another),
        may_not("sagemaker:CreateTrainingJob", job, **made["ada"], **instance),
        may("sagemaker:CreateTrainingJob", mine, **instance),
        may_not("sagemaker:CreateTrainingJob", mine, **another),
        may_not("sagemaker:CreateTrainingJob", theirs, **made["ada"], **instance),
        *(may_not("sagemaker:DeleteEndpoint", sagemaker_arn("endpoint", "one"), **tag) for tag in others),
        may("iam:PassRole", role_arn, **passed),
        may_not("iam:PassRole", f"arn:{PARTITION}:iam::{ACCOUNT}:role/other", **passed),
    ]
