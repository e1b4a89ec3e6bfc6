"""The Service Quotas API for SageMaker: what ``sagemaker.quotas`` holds, as AWS lists it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from localcloud import adapter
from localcloud.json_service import JsonService, Parameters, Refused
from localcloud.sagemaker.quotas import Quota, Quotas, table

_SERVICE = "sagemaker"
#: MaxResults at most and by default ([B])
_PAGE = 100


def install(quotas: Quotas) -> None:
    """Add the service to the server."""
    api = _Api(quotas)
    operations = {
        "ListServices": api.services,
        "ListServiceQuotas": api.applied,
        "GetServiceQuota": api.one_applied,
        "ListAWSDefaultServiceQuotas": api.defaults,
        "GetAWSDefaultServiceQuota": api.one_default,
    }
    JsonService("servicequotas", "service-quotas", operations).install()


class _Api:
    def __init__(self, quotas: Quotas) -> None:
        self._quotas = quotas

    def services(self, request: Parameters) -> Mapping[str, Any]:
        """ListServices: SageMaker alone."""
        del request
        return {"Services": [{"ServiceCode": _SERVICE, "ServiceName": "Amazon SageMaker"}]}

    def applied(self, request: Parameters) -> Mapping[str, Any]:
        """ListServiceQuotas: the values in force."""
        code = request.get("QuotaCode")
        found = [quota for quota in _all(request) if code in (None, quota.code)]
        return _page(request, [self._describe(quota, self._quotas.value(quota.name)) for quota in found])

    def one_applied(self, request: Parameters) -> Mapping[str, Any]:
        """GetServiceQuota."""
        quota = _one(request)
        return {"Quota": self._describe(quota, self._quotas.value(quota.name))}

    def defaults(self, request: Parameters) -> Mapping[str, Any]:
        """ListAWSDefaultServiceQuotas: localcloud's defaults."""
        return _page(request, [self._describe(quota, quota.default) for quota in _all(request)])

    def one_default(self, request: Parameters) -> Mapping[str, Any]:
        """GetAWSDefaultServiceQuota."""
        quota = _one(request)
        return {"Quota": self._describe(quota, quota.default)}

    def _describe(self, quota: Quota, value: float) -> dict[str, Any]:
        where = f"{adapter.region()}:{adapter.account_id()}"
        return {
            "ServiceCode": _SERVICE,
            "ServiceName": "Amazon SageMaker",
            "QuotaArn": f"arn:aws:servicequotas:{where}:{_SERVICE}/{quota.code}",
            "QuotaCode": quota.code,
            "QuotaName": quota.name,
            "Value": float(value),
            "Unit": "None",
            "Adjustable": True,
            "GlobalQuota": False,
            "QuotaAppliedAtLevel": "ACCOUNT",
        }


def _all(request: Parameters) -> list[Quota]:
    if request["ServiceCode"] != _SERVICE:
        raise Refused("NoSuchResourceException", f"[localcloud] no quotas of {request['ServiceCode']}")
    return list(table().values())


def _one(request: Parameters) -> Quota:
    found = next((quota for quota in _all(request) if quota.code == request["QuotaCode"]), None)
    if found is None:
        raise Refused(
            "NoSuchResourceException", "The request failed because the specified service quota does not exist."
        )
    return found


def _page(request: Parameters, quotas: list[dict[str, Any]]) -> Mapping[str, Any]:
    """One page; the token is the position."""
    token = request.get("NextToken", "0")
    if not token.isdecimal():
        raise Refused("InvalidPaginationTokenException", "Invalid NextToken was provided.")
    start = int(token)
    end = start + request.get("MaxResults", _PAGE)
    reply: dict[str, Any] = {"Quotas": quotas[start:end]}
    if end < len(quotas):
        reply["NextToken"] = str(end)
    return reply
