"""Tags that come down from a domain: Studio's own on everything, custom ones when the domain propagates them.

Own: ``sagemaker:domain-arn``, ``sagemaker:user-profile-arn``, ``sagemaker:space-arn`` ([DGn] facts teardown 3).
Custom: those of domain and profile go to spaces and apps with TagPropagation ENABLED ([B]); what the request
says itself wins.
"""

from __future__ import annotations

from collections.abc import Mapping

from localcloud.sagemaker.ports import Scope
from localcloud.sagemaker.studio.records import (
    AppRecord,
    DomainRecord,
    ProfileRecord,
    SpaceRecord,
    domain_arn,
    profile_arn,
    space_arn,
)

OWN_PREFIX = "sagemaker:"
#: condition keys of a session of an app ([DG] the example policies of shared spaces); the last is localcloud's own
_DOMAIN, _PROFILE, _SPACE = "sagemaker:DomainId", "sagemaker:UserProfileName", "localcloud:SpaceName"


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


def session_of(app: AppRecord, user: str | None) -> dict[str, str]:
    """The keys of the role's session in an app; ``user`` is whose app it is."""
    named = {_DOMAIN: app.domain, _PROFILE: user, _SPACE: app.space}
    return {key: value for key, value in named.items() if value}


def of_session(scope: Scope, keys: Mapping[str, str]) -> dict[str, str]:
    """Studio's own tags for what is made in such a session; none outside Studio."""
    domain = keys.get(_DOMAIN)
    if not domain:
        return {}
    own = {"sagemaker:domain-arn": domain_arn(scope, domain)}
    if _PROFILE in keys:
        own["sagemaker:user-profile-arn"] = profile_arn(scope, domain, keys[_PROFILE])
    if _SPACE in keys:
        own["sagemaker:space-arn"] = space_arn(scope, domain, keys[_SPACE])
    return own
