"""Tags that come down from a domain: Studio's own on everything, custom ones when the domain propagates them.

Own: ``sagemaker:domain-arn``, ``sagemaker:user-profile-arn``, ``sagemaker:space-arn`` ([DGn] facts teardown 3).
Custom: those of domain and profile go to spaces and apps with TagPropagation ENABLED ([B]); what the request
says itself wins.
"""

from __future__ import annotations

from collections.abc import Mapping

from localcloud.sagemaker.studio.records import DomainRecord, ProfileRecord, SpaceRecord

OWN_PREFIX = "sagemaker:"


def inherited(
    domain: DomainRecord, profile: ProfileRecord | None, space: SpaceRecord | None, asked: Mapping[str, str]
) -> dict[str, str]:
    """The tags of a new space or app."""
    above = [record for record in (domain, profile, space) if record]
    own = {"sagemaker:domain-arn": domain.arn}
    if profile:
        own["sagemaker:user-profile-arn"] = profile.arn
    if space:
        own["sagemaker:space-arn"] = space.arn
    custom: dict[str, str] = {}
    if domain.request.get("TagPropagation") == "ENABLED":
        for record in above:
            custom |= {key: value for key, value in record.tags.items() if not key.startswith((OWN_PREFIX, "aws:"))}
    return {**custom, **asked, **own}
