"""Lambda steps of a pipeline that bring a version of its model into service: ``deploy`` begins, ``confirm`` ends it.

A pipeline waits ten minutes for a function (SageMaker developer guide, "Lambda step"), an endpoint may take longer:
so ``deploy`` waits as long as it can, and ``confirm`` goes on. Both have the same event:

    package    the ARN of the version in the registry
    model      the model that the step before made of it
    folder     where its evaluation lies in S3, with the smoke test's rows and the answers that are expected
    answers    where the smoke test's answers lie
    execution  the execution of the pipeline, for the log

Either may be called again at any time, and goes on where the last one ended. Both return the endpoint's name and the
version, a text and a number.
"""

from __future__ import annotations

import os
from typing import Any

from aws import client
from pipeline_endpoint import ANSWERING, Endpoint, Look
from pipeline_leftovers import delete_former, delete_model
from pipeline_settings import Settings, same_service, version_of_config, version_of_package
from pipeline_smoke import WrongAnswer, check
from pipeline_waiting import Busy

_RETRY = "`sandcastle pipeline run WORKLOAD --retry`"


class DeploymentError(Exception):
    """The version did not come into service; the text says why and what to do."""


def deploy(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Lambda entry point. Raises DeploymentError: then the endpoint serves what it did before."""
    return Deployment(client("sagemaker"), event, Settings.of(os.environ), context).begin(client("s3"))


def confirm(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Lambda entry point. Raises DeploymentError when the version did not come into service."""
    return Deployment(client("sagemaker"), event, Settings.of(os.environ), context).end()


class Deployment:
    """One version's. Raises ClientError for what SageMaker refuses."""

    def __init__(self, sagemaker: Any, event: dict[str, Any], settings: Settings, context: Any) -> None:
        """``event`` and ``context`` are those of the function."""
        self._sagemaker = sagemaker
        self._event = event
        self._settings = settings
        self._version = version_of_package(event["package"])
        self._config = settings.config_name(self._version, event["model"])
        self._endpoint = Endpoint(sagemaker, settings, context)
        self._result = {"endpoint": settings.endpoint, "version": self._version}
        print(f"version {self._version} to {settings.endpoint} as {self._config}, execution {event['execution']}")

    def begin(self, s3: Any) -> dict[str, Any]:
        """Test the answers, then bring the version into service as far as time allows."""
        self._test(s3)
        begun = False
        try:
            self._ask()
            begun = True
            self._judge(self._endpoint.wait(lambda look: not self._is_coming(look)))
        except Busy as busy:
            if not begun:
                raise DeploymentError(
                    f"version {self._version} is not deployed: {self._endpoint.name} is {busy}, which somebody else "
                    f"began. When that is over, {_RETRY}"
                ) from None
            print(f"{busy}: the next step waits on")
        return self._result

    def end(self) -> dict[str, Any]:
        """Wait until the version is in service or will not be; then delete what earlier ones left."""
        try:
            look = self._endpoint.wait(lambda look: not self._is_coming(look))
        except Busy as busy:
            raise DeploymentError(
                f"{self._endpoint.name} is still {busy}. Wait on for it with {_RETRY}: it may yet come into service"
            ) from None
        if self._judge(look):
            delete_former(self._sagemaker, self._endpoint, look.config)
            if look.config != self._config:
                delete_model(self._sagemaker, self._event["model"])  # it was not needed, and is in no configuration
        return self._result

    def _test(self, s3: Any) -> None:
        """Raise DeploymentError unless the model answers as expected; it is deleted then, as nobody will use it."""
        try:
            rows = check(s3, self._event["folder"], self._event["answers"])
        except WrongAnswer as error:
            if self._endpoint.model_of(self._config) is None:
                delete_model(self._sagemaker, self._event["model"])
            raise DeploymentError(
                f"version {self._version} is not deployed, it failed its smoke test: {error}"
            ) from None
        print(f"{rows} rows are answered as expected")

    def _ask(self) -> None:
        """Have SageMaker begin, unless it has begun, or ended. Waits for what others began. Raises Busy."""
        while True:
            look = self._endpoint.wait(lambda look: not look.in_progress or self._is_coming(look))
            if self._is_coming(look) or self._is_in_service(look):
                return
            if look.status == "Failed":  # a first endpoint that never came up: nothing else can be done with it
                self._endpoint.delete()
                continue
            self._require_approval()
            self._endpoint.ensure_config(self._config, self._event["model"])
            if not look.status:
                begun = self._endpoint.create(self._config)
            else:
                self._endpoint.mark_served(look.config)
                begun = self._endpoint.update(self._config)
            if begun:
                return

    def _is_coming(self, look: Look) -> bool:
        """Whether SageMaker is bringing this version into service."""
        return look.pending == self._config or (look.status == "Creating" and look.config == self._config)

    def _is_in_service(self, look: Look) -> bool:
        """Whether this version serves, with these settings: then it is all the same which model it does so by."""
        return look.status in ANSWERING and same_service(look.config, self._config)

    def _judge(self, look: Look) -> bool:
        """Say whether the version is in service; False when another one already took its place.

        Raises DeploymentError when it never was.
        """
        name, version = self._endpoint.name, self._version
        if self._is_in_service(look):
            self._endpoint.mark_served(look.config)
            print(f"version {version} is in service")
            return True
        if look.status in ("", "Deleting"):
            raise DeploymentError(f"{name} is gone: somebody deleted it while version {version} was deployed")
        if look.status == "Failed" and look.config == self._config:
            self._endpoint.delete()
            raise DeploymentError(
                f"version {version} did not start: {look.reason or 'SageMaker gave no reason'}. The endpoint, which "
                f"was the first, is deleted; its log is /aws/sagemaker/Endpoints/{name}"
            )
        if self._endpoint.has_served(self._config):
            print(f"version {version} was in service until another execution deployed {look.config}")
            return False
        raise DeploymentError(
            f"version {version} did not come into service, {name} serves version {version_of_config(look.config)} as "
            f"before: {look.reason or 'SageMaker went back to it'}. Log: /aws/sagemaker/Endpoints/{name}"
        )

    def _require_approval(self) -> None:
        """Raise DeploymentError unless the version is approved now: somebody may have thought better of it."""
        package = self._sagemaker.describe_model_package(ModelPackageName=self._event["package"])
        if package["ModelApprovalStatus"] != "Approved":
            raise DeploymentError(f"version {self._version} is not deployed: it is {package['ModelApprovalStatus']}")
