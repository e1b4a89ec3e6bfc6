"""The SageMaker service: control plane, runtime and CloudFormation types, on botocore's own service model.

Start reading at ``service`` (what a request goes through) and ``kinds`` (one module per kind of resource).
``api`` knows the service model, ``hosting`` what runs behind an endpoint, ``cfn`` the CloudFormation types,
``ports`` and ``backend`` the world outside. Nothing but ``install`` needs MiniStack in the process.
"""

from __future__ import annotations


def install() -> None:
    """Add the service, its tags and its CloudFormation types to the server."""
    from localcloud import adapter, admin, alarms, autoscaling, front, service_quotas
    from localcloud.autoscaling.scaler import Scaler
    from localcloud.autoscaling.targets import ScalingTargets
    from localcloud.clock import default_clock
    from localcloud.meter import default_meter
    from localcloud.sagemaker import cfn, http
    from localcloud.sagemaker.backend import LiveBackend
    from localcloud.sagemaker.ports import Scope
    from localcloud.sagemaker.quotas import default_quotas
    from localcloud.sagemaker.service import SageMaker
    from localcloud.switches import default_switches

    clock = default_clock()
    scaling = ScalingTargets(clock)
    evaluator = alarms.install()
    backend = LiveBackend(clock, scaling, evaluator)
    quotas = default_quotas()
    service = SageMaker(clock, default_meter(), backend, default_switches(), quotas)
    scaler = Scaler(clock, scaling, service.endpoints, backend.put_metrics, evaluator.state)
    evaluator.add_source(service.runtime.flush)
    evaluator.add_source(scaler.put_zeros)
    evaluator.on_action("arn:aws:autoscaling:", scaler.act)
    handler = http.Handler(service)

    def reset() -> None:
        service.reset()
        backend.reset()
        evaluator.reset()

    adapter.register_service(
        "sagemaker",
        handler.handle,
        target_prefixes=[http.TARGET_PREFIX],
        host_patterns=[r"api\.sagemaker\.", r"runtime\.sagemaker\."],
        path_patterns=[r"/endpoints/[^/]+/(async-)?invocations"],
        iam_namespace="sagemaker",
        resource_arn=handler.resource_arn,
        iam_action=handler.iam_action,
        iam_context=handler.iam_context,
        reset=reset,
    )
    front.register(b"POST /endpoints/", handler.answer)
    adapter.register_tag_collector(
        "sagemaker", lambda: service.tags.collect(Scope(adapter.account_id(), adapter.region()))
    )
    cfn.install(service.core)
    service_quotas.install(quotas)
    autoscaling.install(scaling, scaler)
    admin.register("endpoint", service.inject, dict, readable=False)
    interruptions = service.training_jobs.interruptions
    admin.register("training-job", interruptions.order, interruptions.pending)
    admin.register("quotas", quotas.set, quotas.changed)
