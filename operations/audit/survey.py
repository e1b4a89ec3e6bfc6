"""One inventory being taken: whom to ask, whose it is, and what proves ownership beyond a thing's own tags."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from botocore.exceptions import ClientError

from operations.audit.call import Clients
from operations.audit.finding import DOMAIN_TAG, Finding, Memory, Owner
from operations.audit.remembered import remember
from operations.project import ENVIRONMENT_TAG
from operations.stacks import tags

S = TypeVar("S")
T = TypeVar("T")

MANAGED_TAG = "ManagedByAmazonSageMakerResource"
"""On the file system and the security groups of a Studio domain: the domain's ARN (facts on teardown, 1.1)."""

_GONE = ("ValidationException", "ResourceNotFound", "ResourceNotFoundException")
"""What is answered about the tags of something that vanished between list and question."""


@dataclass(frozen=True)
class Domains:
    """The Studio domains that exist: the environment's with the reason, and the ARNs of everybody's."""

    ours: tuple[tuple[Any, str], ...]
    living: frozenset[str]


class Survey:
    """Asks services for one owner, many questions at a time.

    Three facts decide about things that carry no tag of ours: which Studio domains are the environment's, which were
    (``memory``), and which networks are. A service that refuses to tell them is refused wherever the fact is needed.
    """

    def __init__(self, clients: Clients, owner: Owner, pool: ThreadPoolExecutor) -> None:
        """Begin with the three facts. ``pool`` is for single questions; nothing in it may wait for another."""
        self.clients = clients
        self.owner = owner
        self._pool = pool
        self._domains: Future[Domains] = pool.submit(self._find_domains)
        self._vpcs: Future[frozenset[str]] = pool.submit(self._find_vpcs)
        self._memory: Future[Memory] = pool.submit(remember, clients, owner)

    @property
    def domains(self) -> Domains:
        """The Studio domains. Raises what the service answered if it refused."""
        return self._domains.result()

    @property
    def memory(self) -> Memory:
        """What was the environment's before it was deleted: told by the caller, or by CloudFormation."""
        return self.owner.memory | self._memory.result()

    @property
    def vpcs(self) -> frozenset[str]:
        """The ids of the environment's networks."""
        return self._vpcs.result()

    def client(self, service: str) -> Any:
        """Return the client of a service."""
        return self.clients.client(service)

    def each(self, ask: Callable[[S], T], items: Iterable[S]) -> Iterator[tuple[S, T]]:
        """Ask the same of every item, side by side, and yield each with its answer, in order."""
        known = list(items)
        yield from zip(known, self._pool.map(ask, known), strict=True)

    def pages(self, service: str, operation: str, result: str, **parameters: Any) -> list[Any]:
        """Return the whole of a list."""
        return pages(self.client(service), operation, result, **parameters)

    def why(self, tag_map: dict[str, str], name: str) -> str | None:
        """Return the reason why something with these tags and this name is the environment's, else None."""
        found = self.owner.by_tags_or_name(tag_map, name)
        if found or ENVIRONMENT_TAG in tag_map or DOMAIN_TAG not in tag_map:
            return found
        return f"tag {DOMAIN_TAG}" if self.is_our_domain(tag_map[DOMAIN_TAG]) else None

    def why_managed(self, tag_map: dict[str, str], networks: Iterable[str]) -> str | None:
        """Return the reason why something that SageMaker made for a Studio domain is the environment's, else None.

        Its domain is, or was, the environment's; or its domain is nobody's any more, and it lies in our network.
        """
        arn = tag_map.get(MANAGED_TAG)
        if arn is None:
            return None
        if self.is_our_domain(arn):
            return f"tag {MANAGED_TAG}: {arn.rsplit('/', 1)[-1]}"
        if arn not in self.domains.living and any(network in self.vpcs for network in networks):
            return f"of a deleted domain, in network {', '.join(sorted(networks))}"
        return None

    def is_our_domain(self, arn: str) -> bool:
        """Say whether the Studio domain is, or was, the environment's."""
        if any(domain["DomainArn"] == arn for domain, _ in self.domains.ours):
            return True
        mine = f"arn:aws:sagemaker:{self.owner.region}:{self.owner.account}:domain/"
        return arn.startswith(mine) and arn.removeprefix(mine) in self.memory.domains

    def sagemaker_tags(self, arn: str) -> dict[str, str]:
        """Return the tags of a SageMaker resource; one that vanished between list and question has none."""
        return _sagemaker_tags(self.client("sagemaker"), arn)

    def _find_domains(self) -> Domains:
        client = self.client("sagemaker")
        found = pages(client, "list_domains", "Domains")
        ours = []
        for domain in found:
            why = self.owner.by_tags_or_name(_sagemaker_tags(client, domain["DomainArn"]), domain["DomainName"])
            if why:
                ours.append((domain, why))
        return Domains(tuple(ours), frozenset(domain["DomainArn"] for domain in found))

    def _find_vpcs(self) -> frozenset[str]:
        found = pages(self.client("ec2"), "describe_vpcs", "Vpcs")
        return frozenset(vpc["VpcId"] for vpc in found if self.owner.by_tags(vpc.get("Tags", [])))


class Collector(Protocol):
    """Asks one service for everything of one owner."""

    def __call__(self, survey: Survey) -> Iterator[Finding]:
        """Yield what belongs."""


def pages(client: Any, operation: str, result: str, **parameters: Any) -> list[Any]:
    """Return the whole of a list, in pages of 100 where the caller may choose (SageMaker's own are of 10)."""
    if client.can_paginate(operation):
        many = {"PaginationConfig": {"PageSize": 100}} if client.meta.service_model.service_name == "sagemaker" else {}
        answers = client.get_paginator(operation).paginate(**parameters, **many)
    else:
        answers = [getattr(client, operation)(**parameters)]
    return [item for answer in answers for item in answer.get(result, [])]


def _sagemaker_tags(client: Any, arn: str) -> dict[str, str]:
    try:
        return tags(pages(client, "list_tags", "Tags", ResourceArn=arn))
    except ClientError as error:
        if error.response["Error"]["Code"] in _GONE:
            return {}
        raise
