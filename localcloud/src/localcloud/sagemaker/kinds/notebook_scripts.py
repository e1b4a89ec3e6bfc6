"""The lifecycle scripts of a notebook instance: they really run, as its role, on a machine that keeps its volume.

A new machine has the old volume (``~/SageMaker``) and nothing else of the last one. OnCreate runs at the creation,
OnStart at every start, creation included; what they start in the background goes on until the instance stops ([B]
NotebookInstanceLifecycleHook). A script that fails is reported by AWS as one that took too long ([R]
aws-samples/amazon-sagemaker-optuna-hpo-blog#4, outerbounds/metaflow-tools#28): the instance waits for its success.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from functools import partial

from localcloud.jobs.lifecycle_script import LIMIT_SECONDS, LifecycleScript
from localcloud.sagemaker import errors
from localcloud.sagemaker.core import Core
from localcloud.sagemaker.kinds.notebook_lifecycle_config import Hook, NotebookLifecycleConfigs
from localcloud.sagemaker.store import Record

LOG_GROUP = "/aws/sagemaker/NotebookInstances"
_HOME = "/home/ec2-user"
_VOLUME = "SageMaker"


class NotebookScripts:
    """Runs scripts; on background threads, without the store's lock."""

    def __init__(self, core: Core, configs: NotebookLifecycleConfigs) -> None:
        """``configs`` hold the scripts."""
        self._core = core
        self._configs = configs

    def boot(
        self, record: Record, hooks: Sequence[Hook], cancelled: threading.Event, done: Callable[[str | None], None]
    ) -> None:
        """Run the scripts for ``hooks`` and call ``done`` with None, or with the FailureReason. Does not block."""
        with self._core.store.lock:
            config = self._configs.find(record.scope, record.request.get("LifecycleConfigName", ""))
            scripts = [(hook, config.scripts[hook]) for hook in hooks if config and hook in config.scripts]
        if scripts:
            self._core.in_background(partial(self._run, record, scripts, cancelled, done))
        else:
            done(None)

    def _run(
        self,
        record: Record,
        scripts: Sequence[tuple[Hook, str]],
        cancelled: threading.Event,
        done: Callable[[str | None], None],
    ) -> None:
        began, reason = self._core.clock.now(), "[localcloud] the lifecycle scripts could not be run"
        try:
            reason = self._first_failure(record, scripts, cancelled) or ""
        finally:
            # nobody hears of a failure: success is waited for until the limit is over
            left = began + LIMIT_SECONDS - self._core.clock.now() if reason else 0.0
            if not cancelled.is_set():
                self._core.clock.call_later(max(0.0, left), lambda: done(reason or None), kind="settle")

    def _first_failure(
        self, record: Record, scripts: Sequence[tuple[Hook, str]], cancelled: threading.Event
    ) -> str | None:
        """Run them one after the other on a new machine; the reason of the first that fails."""
        backend = self._core.backend
        backend.renew_machine(record.arn, _VOLUME)
        for hook, text in scripts:
            script = LifecycleScript(
                text,
                record.request["RoleArn"],
                record.scope.region,
                LOG_GROUP,
                f"{record.name}/LifecycleConfig{hook}",
                metadata={"ResourceArn": record.arn, "ResourceName": record.name},
                keeps_running=True,
                home=_HOME,
            )
            try:
                outcome = backend.run_script(record.arn, script, cancelled)
            except errors.ServiceError as refused:
                return refused.message
            if not outcome.succeeded:
                backend.end_machine(record.arn)
                if outcome.exit_code is None and not outcome.problem.startswith("it ran"):
                    return outcome.problem
                return self._took_too_long(record)
        return None

    def _took_too_long(self, record: Record) -> str:
        config = record.scope.arn("notebook-instance-lifecycle-config", record.request.get("LifecycleConfigName", ""))
        return (
            f"Notebook Instance Lifecycle Config '{config}' for Notebook Instance '{record.arn}' took longer than 5 "
            "minutes. Please check your CloudWatch logs for more details if your Notebook Instance has Internet access."
        )
