"""How an app comes up and goes down: its interface in the caller's VPC and its lifecycle script. Takes real time."""

from __future__ import annotations

from localcloud.jobs.lifecycle_script import LifecycleScript
from localcloud.sagemaker.core import Core
from localcloud.sagemaker.ports import AssumeDenied
from localcloud.sagemaker.studio import settings, tags
from localcloud.sagemaker.studio.records import AppRecord, Studio, profile_arn, space_arn

#: where scripts write ([DG] Debug lifecycle configurations)
LOG_GROUP = "/aws/sagemaker/studio"


class Startup:
    """Starts and ends what belongs to an app; on a background thread, without the lock."""

    def __init__(self, core: Core, studio: Studio) -> None:
        """For the apps of ``studio``."""
        self._core = core
        self._studio = studio

    def start(self, app: AppRecord) -> str | None:
        """Bring the app up: None, or why it failed. Raises ServiceError (EC2's text)."""
        try:
            self._core.backend.assume(app.role, "SageMaker")
        except AssumeDenied as reason:
            return str(reason)
        self._attach(app)
        return self._run_script(app)

    def end(self, app: AppRecord) -> None:
        """Give back what ``start`` took."""
        interface, app.interface = app.interface, None
        if interface:
            self._core.backend.detach_interface(app.scope, interface)

    def _attach(self, app: AppRecord) -> None:
        """An app of a VpcOnly domain has an interface in the first subnet ([K] which), with the user's groups."""
        with self._core.store.lock:
            domain = self._studio.domain(app.scope, app.domain)
            if domain.request["AppNetworkAccessType"] != "VpcOnly":
                return
            groups = settings.security_groups(settings.layers(self._studio, domain, app))
            if domain.home:
                groups = [*groups, domain.home.outbound]
            subnet = domain.request["SubnetIds"][0]
        description = f"[DO NOT DELETE] ENI managed by SageMaker for Studio App ({app.arn})"
        app.interface = self._core.backend.attach_interface(app.scope, subnet, groups, description)

    def _run_script(self, app: AppRecord) -> str | None:
        arn = app.spec.get("LifecycleConfigArn")
        if not arn:
            return None
        with self._core.store.lock:
            config = self._studio.config(app.scope, arn)
            space = self._studio.space(app.scope, app.domain, app.space) if app.space else None
            user = space.owner if space and space.sharing == "Private" else app.profile
        if config is None:
            return f"StudioLifecycleConfig [{arn}] does not exist."
        stream = f"{app.domain}/{app.holder}/{app.app_type}/{app.app_name}/LifecycleConfigOnStart"
        script = LifecycleScript(
            settings.decoded(config.request["StudioLifecycleConfigContent"]),
            app.role,
            app.scope.region,
            LOG_GROUP,
            stream,
            session=tags.session_of(app, user),
            metadata={
                "AppType": app.app_type,
                "DomainId": app.domain,
                **({"SpaceName": app.space} if app.space else {"UserProfileName": app.profile}),
                "ResourceArn": app.arn,
                "ResourceName": app.app_name,
                "AppImageVersion": "",
                "ExecutionRoleArn": app.role,
            },
        )
        outcome = self._core.backend.run_script(machine_of(app), script, app.cancelled)
        if outcome.succeeded:
            return None
        return (
            f"LifecycleConfigOnStart of StudioLifecycleConfig [{arn}] failed: {outcome.problem}. See CloudWatch Logs "
            f"group {LOG_GROUP}, stream {stream}. {outcome.tail}"
        ).strip()


def machine_of(app: AppRecord) -> str:
    """What the app's files belong to: its space, or the user's home of a classic app."""
    if app.space:
        return space_arn(app.scope, app.domain, app.space)
    return profile_arn(app.scope, app.domain, str(app.profile))
