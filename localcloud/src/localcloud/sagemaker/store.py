"""What exists: records by kind, account, region and name, and the tags on them.

One lock guards every record of the service; ``Store.changed`` wakes whoever waits for a state. Nothing slow (a
process, the network, another service) is done while it is held.
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from localcloud.sagemaker.ports import Scope


@dataclass(eq=False)
class Record:
    """One resource: the request that made it, its status and what Describe adds to the request."""

    scope: Scope
    name: str
    arn: str
    request: dict[str, Any]
    created: float
    modified: float
    status: str = ""
    tags: dict[str, str] = field(default_factory=dict)
    #: order of creation, the tie-break of every sort
    sequence: int = 0
    #: what it takes of the account's quotas now, by name
    uses: dict[str, float] = field(default_factory=dict)


@dataclass(eq=False)
class WorkRecord(Record):
    """Something that runs and ends: a job, a tuning job. Whoever started it may wait for its end."""

    #: called once when it is over, without a lock
    watchers: list[Callable[[], None]] = field(default_factory=list)

    @property
    def over(self) -> bool:
        """Whether it has ended, however."""
        return self.status in ("Completed", "Failed", "Stopped", "Deleting")

    @property
    def failure_reason(self) -> str | None:
        """Why it failed."""
        raise NotImplementedError


R = TypeVar("R", bound=Record)


class Store:
    """All tables of the service, their lock, and the way from an ARN to a record."""

    def __init__(self) -> None:
        """Empty, without tables."""
        self.lock = threading.RLock()
        self.changed = threading.Condition(self.lock)
        self._tables: list[Table[Any]] = []
        self._sequence = itertools.count(1)

    def register(self, table: Table[Any]) -> None:
        """Make a table's records known by ARN."""
        self._tables.append(table)

    def number(self) -> int:
        """The next sequence number."""
        return next(self._sequence)

    def records(self) -> Iterator[Record]:
        """Every record of every kind; hold the lock."""
        return itertools.chain.from_iterable(table.all() for table in self._tables)

    def by_arn(self, arn: str) -> Record | None:
        """The record of an ARN; hold the lock."""
        return next((record for record in self.records() if record.arn == arn), None)

    def watch(self, record: WorkRecord, callback: Callable[[], None]) -> None:
        """Call back once, when ``record`` is over (at once when it is)."""
        with self.lock:
            if not record.over:
                record.watchers.append(callback)
                return
        callback()

    def wait_until(self, condition: Callable[[], bool], timeout: float) -> bool:
        """Block until ``condition`` (evaluated under the lock) holds; False after ``timeout`` real seconds."""
        with self.changed:
            return self.changed.wait_for(condition, timeout)


class Table(Generic[R]):
    """The records of one kind."""

    def __init__(self, store: Store) -> None:
        """Registers itself with ``store``."""
        self._store = store
        self._rows: dict[tuple[Scope, str], R] = {}
        store.register(self)

    def add(self, record: R) -> None:
        """Remember a new record; hold the lock."""
        record.sequence = self._store.number()
        self._rows[record.scope, record.name] = record
        self._store.changed.notify_all()

    def get(self, scope: Scope, name: str) -> R | None:
        """The record of this name."""
        return self._rows.get((scope, name))

    def remove(self, record: R) -> None:
        """Forget this record, not one that has its name by now; hold the lock."""
        if self._rows.get((record.scope, record.name)) is record:
            del self._rows[record.scope, record.name]
        self._store.changed.notify_all()

    def of(self, scope: Scope) -> list[R]:
        """The records of one account and region, oldest first."""
        return [record for record in self._rows.values() if record.scope == scope]

    def all(self) -> list[R]:
        """The records of every account and region."""
        return list(self._rows.values())

    def clear(self) -> None:
        """Forget everything; hold the lock."""
        self._rows.clear()
        self._store.changed.notify_all()


def named(table: Table[R], scope: Scope, name: str) -> R | None:
    """The record of this name whatever its case, for kinds whose ARNs are in lower case; hold the lock."""
    wanted = name.lower()
    return next((record for record in table.of(scope) if record.name.lower() == wanted), None)


def name_in(path: str, name_or_arn: str) -> str:
    """The name in ``arn:...:<path>/<name>``; a name stays as it is."""
    return name_or_arn.split(f":{path}/", 1)[-1]


def tag_map(tags: list[dict[str, str]] | None) -> dict[str, str]:
    """``[{"Key": k, "Value": v}]`` as ``{k: v}``."""
    return {tag["Key"]: tag["Value"] for tag in tags or []}
