"""The execution role of a Studio user: everything that the user, and the user's jobs, may do."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from constructs import Construct

from sandcastle.acknowledgements import Acknowledgement, acknowledge_wildcards
from sandcastle.config import Environment, User
from sandcastle.naming import StudioNames, WorkloadNames
from sandcastle.permissions import ACCOUNT, PARTITION, sagemaker_arn
from sandcastle.promises import METADATA_KEY, Promise, may, may_not
from sandcastle.resource import Resource
from sandcastle.roles import ServiceRole, policy_document
from sandcastle.tutorials import Tutorial
from sandcastle.user_data import UserData
from sandcastle.user_permissions import as_oneself, in_own_spaces, own_job_logs, own_tags, with_own_names, with_own_tags


def roles_path(environment: str) -> str:
    """Return where the environment's user roles are, so that a policy can name all of them at once."""
    return f"/sandcastle/{environment}/users/"


class UserRole(Construct):
    """One role per user: it reads and writes ``users/<name>/`` and reads the workloads that the user is given.

    What it may do in the domain is added by ``enter``: a policy of its own, because the domain does not exist yet when
    the role is made, and the role cannot name itself.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        environment: Environment,
        user: User,
        others: Sequence[str],
        buckets: UserData,
        tutorials: Sequence[Tutorial],
    ) -> None:
        """``others`` are users whose folders this one must not reach; ``tutorials`` are those that it may read."""
        super().__init__(scope, construct_id)
        self.user = user
        self._environment = environment
        self._others = others
        workloads = [WorkloadNames(environment.name, workload) for workload in user.workloads]
        self.role = ServiceRole(
            self,
            "Role",
            service="sagemaker.amazonaws.com",
            source_account=True,
            path=roles_path(environment.name),
            description=f"Studio user {user.name}",
            statements=buckets.statements(f"users/{user.name}/", workloads, tutorials),
            promises=self._data_promises(buckets),
        )

    def enter(self, domain_id: str, instances: Sequence[str]) -> Resource:
        """Let the user work in the domain, on these instance types; return the policy."""
        names = StudioNames(self._environment.name)
        statements = [
            *in_own_spaces(domain_id, self.user.name, instances),
            *with_own_tags(self._environment.name, self.user.name, instances),
            *with_own_names(names.user_prefix(self.user.name), instances),
            own_job_logs(names.user_prefix(self.user.name)),
            as_oneself(self.role.arn),
        ]
        self._policy = Resource(
            self,
            "Studio",
            "AWS::IAM::Policy",
            tagged=False,
            PolicyName="studio",
            Roles=[self.role.resource.ref],
            PolicyDocument=policy_document(statements),
        )
        self._in_studio = statements
        self.role.tell_unseen(statements)
        promises = self._studio_promises(domain_id, instances)
        self._policy.add_metadata(METADATA_KEY, [promise.to_metadata() for promise in promises])
        return self._policy

    def acknowledgements(self) -> Iterator[Acknowledgement]:
        """Every wildcard in the policy for the domain, with its statement's reason."""
        pairs = [(resource, one.reason) for one in self._in_studio for resource in one.resources]
        yield from acknowledge_wildcards(self._policy, pairs)

    def _data_promises(self, buckets: UserData) -> list[Promise]:
        data, other = buckets.data_arn, self._other
        return [
            may("s3:GetObject", f"{data}/users/{self.user.name}/*"),
            may("s3:PutObject", f"{data}/users/{self.user.name}/*"),
            may_not("s3:GetObject", f"{data}/users/{other}/*"),
            may_not("s3:PutObject", f"{data}/users/{other}/*"),
            may_not("s3:ListBucket", data, **{"s3:prefix": f"users/{other}/"}),
            may_not("s3:PutObject", f"{buckets.models_arn}/*"),
            *(may("s3:GetObject", f"{data}/{workload}/*") for workload in self.user.workloads),
            *(may_not("s3:PutObject", f"{data}/{workload}/*") for workload in self.user.workloads[:1]),
            may_not("iam:PutRolePolicy", "*"),
            may_not("kms:CreateKey", "*"),
        ]

    def _studio_promises(self, domain_id: str, instances: Sequence[str]) -> list[Promise]:
        environment, name, other = self._environment.name, self.user.name, self._other
        job, app = sagemaker_arn("training-job", "job"), sagemaker_arn("app", f"{domain_id}/*")
        named = {
            one: sagemaker_arn("training-job", f"{StudioNames(environment).user_prefix(one)}job")
            for one in (name, other)
        }
        instance, another = ({"sagemaker:InstanceTypes": one} for one in (instances[0], "ml.other"))
        owner, private = "sagemaker:OwnerUserProfileArn", {"sagemaker:SpaceSharingType": "Private"}
        mine, theirs = (
            {owner: sagemaker_arn("user-profile", f"{domain_id}/{one}"), **private} for one in (name, other)
        )
        made = {one: own_tags(environment, one, "RequestTag") for one in (name, other)}
        passed = {"iam:PassedToService": "sagemaker.amazonaws.com"}
        return [
            may("sagemaker:CreateApp", app, **mine, **instance),
            may_not("sagemaker:CreateApp", app, **theirs, **instance),
            may_not("sagemaker:CreateApp", app, **mine, **another),
            may_not("sagemaker:CreateSpace", "*", **{"sagemaker:SpaceSharingType": "Shared"}),
            may("sagemaker:CreateTrainingJob", job, **made[name], **instance),
            may_not("sagemaker:CreateTrainingJob", job, **made[name], **another),
            may_not("sagemaker:CreateTrainingJob", job, **made[other], **instance),
            may("sagemaker:CreateTrainingJob", named[name], **instance),
            may_not("sagemaker:CreateTrainingJob", named[name], **another),
            may_not("sagemaker:StopTrainingJob", named[other], **{"aws:ResourceTag/sandcastle:user": other}),
            may_not("sagemaker:StopTrainingJob", job, **{"aws:ResourceTag/sandcastle:environment": f"{environment}-b"}),
            may_not("sagemaker:DeleteUserProfile", "*"),
            may("iam:PassRole", self.role.arn, **passed),
            may_not("iam:PassRole", f"arn:{PARTITION}:iam::{ACCOUNT}:role/other", **passed),
        ]

    @property
    def _other(self) -> str:
        """Somebody else: another user of the environment, or nobody there is."""
        return next((one for one in self._others if one != self.user.name), "somebody")
