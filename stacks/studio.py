"""Studio: the domain, everybody's profile and role, and the janitors of what people make in it."""

from __future__ import annotations

import aws_cdk as cdk
from constructs import Construct

from sandcastle.assets import Assets
from sandcastle.code import code_asset
from sandcastle.config import Environment, Studio
from sandcastle.config.catalogue import image_uri, images
from sandcastle.lifecycle_script import LifecycleScript
from sandcastle.naming import StudioNames
from sandcastle.permissions import ACCOUNT, PARTITION
from sandcastle.resource import EnvironmentStack, Resource
from sandcastle.spending_limit import SpendingLimit
from sandcastle.studio_domain import Place, StudioDomain
from sandcastle.studio_janitors import domain_delete, domain_sweep, studio_drain
from sandcastle.tutorials import tutorials
from sandcastle.user_data import UserData
from sandcastle.user_role import UserRole, roles_path
from sandcastle.users import Everybody
from stacks.foundation import Foundation
from stacks.guardrails import Guardrails


class StudioStack(EnvironmentStack):
    """Studio for the users of the environment file."""

    def __init__(
        self,
        scope: Construct,
        *,
        environment: Environment,
        studio: Studio,
        foundation: Foundation,
        guardrails: Guardrails,
    ) -> None:
        """``foundation`` holds the network and the buckets, ``guardrails`` the budget that stops new spending."""
        super().__init__(scope, "studio", environment=environment, description="Studio for its users", compact=True)
        names, assets = StudioNames(environment.name), Assets(environment.root)
        delivered = tutorials(self, assets, environment.workloads)
        buckets = UserData(foundation.data.arn, foundation.models.arn)
        script = LifecycleScript(
            assets.lifecycle / "studio.sh",
            {
                "SANDCASTLE_ENVIRONMENT": environment.name,
                "SANDCASTLE_REGION": self.region,
                "SANDCASTLE_BUCKET": foundation.data.name,
                "SANDCASTLE_MODELS": foundation.models.name,
                "SANDCASTLE_ROLE_PATH": roles_path(environment.name),
                "SANDCASTLE_INSTANCES": " ".join(studio.instances),
                "SANDCASTLE_TUTORIALS": "\n".join(f"{one.folder},{one.bucket},{one.key}" for one in delivered.values()),
            },
        )
        domain = StudioDomain(
            self,
            "Domain",
            studio=studio,
            names=names,
            place=Place(foundation.network.vpc_id, foundation.network.subnet_ids, foundation.network.security_group_id),
            script=script,
        )
        self.domain_id = domain.id
        logins = [user.name for user in studio.users]
        users = [
            UserRole(
                self,
                f"User-{user.name}",
                environment=environment,
                user=user,
                others=logins,
                buckets=buckets,
                tutorials=[one for name, one in delivered.items() if name in (".", "shared", *user.workloads)],
            )
            for user in studio.users
        ]
        offered = [uri for key in images() if (uri := image_uri(key, self.region))]
        everybody = Everybody(self, "Everybody", domain_id=domain.id, roles=[one.role for one in users], images=offered)
        profiles = []
        for user in users:
            entered = user.enter(domain.id, studio.instances)
            tags = {"sandcastle:user": user.user.name}
            profile = domain.profile(user.user, user.role, entered, tags)
            profile.add_resource_dependency(everybody.policy)
            profiles.append(profile)
        self._clear_away(environment, foundation, guardrails, domain, users, profiles)
        for name, value in (
            ("DomainId", domain.id),
            ("DomainName", names.domain),
            ("DomainUrl", domain.url),
            ("Users", " ".join(logins)),
            ("InstanceTypes", " ".join(studio.instances)),
        ):
            cdk.CfnOutput(self, name, value=value)

    def _clear_away(
        self,
        environment: Environment,
        foundation: Foundation,
        guardrails: Guardrails,
        domain: StudioDomain,
        users: list[UserRole],
        profiles: list[Resource],
    ) -> None:
        """Put everything that only a teardown needs at its place in the order of deletion, which is this one::

            StudioDrain, profiles, DomainDelete, domain, DomainSweep

        The spending limit is let go when nobody needs the users kept from starting things any more.
        """
        code = code_asset(self, Assets(environment.root).functions)
        limit = SpendingLimit(
            self,
            "SpendingLimit",
            roles=[user.role for user in users],
            budget_name=guardrails.limit.name,
            topic_arn=guardrails.topic.arn,
            code=code,
        )
        drain = studio_drain(
            self,
            "StudioDrain",
            code=code,
            domain_id=domain.id,
            profiles=[user.user.name for user in users],
            roles=[user.role.resource.ref for user in users],
            roles_arn=f"arn:{PARTITION}:iam::{ACCOUNT}:role{roles_path(environment.name)}*",
            policy_arn=limit.policy_arn,
        )
        delete = domain_delete(self, "DomainDelete", code=code, domain_id=domain.id)
        sweep = domain_sweep(self, "DomainSweep", code=code, vpc_id=foundation.network.vpc_id)
        drain.runs_before(*profiles)
        delete.runs_after(*profiles)  # the domain goes after both: they refer to it
        sweep.runs_after(domain.resource)
        limit.release.runs_after(delete.resource)
