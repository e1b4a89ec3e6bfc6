"""Small apps, written by hand, whose bills are known."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from operations.review.assembly import Assembly, Stack
from operations.review.cost import Assumptions, Estimate, Line, estimate

HOURS = 730


def app(region: str | None = "us-east-1", **stacks: dict[str, Any]) -> Assembly:
    """Return an app of these stacks, each a map of resources by logical id; ``a_b`` stands for the name ``a-b``."""
    named = {name.replace("_", "-"): resources for name, resources in stacks.items()}
    return Assembly(
        Path(), {name: Stack(name, {"Resources": found}, region=region) for name, found in sorted(named.items())}
    )


def one(kind: str, region: str | None = "us-east-1", **properties: Any) -> Assembly:
    """Return an app of one resource."""
    return app(region, one={"It": resource(kind, **properties)})


def resource(kind: str, **properties: Any) -> dict[str, Any]:
    """Return a resource."""
    return {"Type": kind, "Properties": properties}


def endpoint(config: dict[str, Any] | None = None, **variant: Any) -> dict[str, Any]:
    """Return the resources of an endpoint with one variant."""
    main = {"VariantName": "main", "InitialInstanceCount": 1, "InstanceType": "ml.m5.large", **variant}
    return {
        "Config": resource("AWS::SageMaker::EndpointConfig", ProductionVariants=[main], **(config or {})),
        "Endpoint": resource(
            "AWS::SageMaker::Endpoint", EndpointConfigName={"Fn::GetAtt": ["Config", "EndpointConfigName"]}
        ),
    }


def costs(assembly: Assembly, **amounts: float) -> Estimate:
    """Return the estimate under these assumptions."""
    return estimate(assembly, Assumptions(**amounts))


def line(found: Estimate, part: str) -> Line:
    """Return the only line whose part begins so."""
    (it,) = [one for one in found.lines if one.part.startswith(part)]
    return it
