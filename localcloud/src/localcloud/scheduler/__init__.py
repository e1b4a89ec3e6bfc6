"""EventBridge Scheduler on localcloud's clock, instead of MiniStack's, which knows real time and few targets.

Start reading at ``service`` (the API). ``runner`` waits and repeats, ``targets`` makes the calls under the schedule's
role, ``expressions`` and ``cron`` say when, ``cfn`` has the CloudFormation types.
"""

from __future__ import annotations


def install() -> None:
    """Replace the service, its tags and its CloudFormation types."""
    from localcloud import adapter
    from localcloud.clock import default_clock
    from localcloud.scheduler import cfn, http
    from localcloud.scheduler.runner import Runner
    from localcloud.scheduler.service import Scheduler
    from localcloud.scheduler.targets import bury, deliver

    service = Scheduler(default_clock(), Runner(default_clock(), deliver, bury))
    handler = http.Handler(service)
    adapter.register_service(
        "scheduler",
        handler.handle,
        host_patterns=[r"scheduler\."],
        iam_namespace="scheduler",
        resource_arn=http.resource_arn,
        reset=service.reset,
    )
    adapter.register_tag_collector("scheduler", service.tagged)
    cfn.install(service)
