"""Whether a resource's own policy lets an AWS service in: no identity is asked, only the topic, queue or function."""

from __future__ import annotations

from typing import Any

from ministack.core import iam_evaluator

from localcloud.adapter.identity import region


def lets_in(policy: Any, service: str, action: str, resource: str, source_arn: str, account: str) -> bool:
    """Whether ``policy`` (a document or its text) lets ``service`` (``events.amazonaws.com``) do ``action``.

    ``source_arn`` is what the service acts for, ``account`` whose that is: policies ask for both.
    """
    iam_evaluator.pin_request_origin("127.0.0.1", True)  # services come over TLS, which a policy may ask for
    context = iam_evaluator.EvalContext(
        principal_arn="*",
        principal_type="Service",
        principal_account="",
        action=action,
        resource_arn=resource,
        region=region(),
        service_context={"aws:sourcearn": source_arn, "aws:sourceaccount": account},
    )
    return bool(iam_evaluator.evaluate_resource_policy(policy, context, service=service).decision == "Allow")
