"""Events of AWS services on the default bus, with the time that the service has."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from ministack.services import eventbridge

from localcloud.adapter.identity import account_id, region


def put_event(
    source: str, detail_type: str, resources: Sequence[str], detail: Mapping[str, Any], moment: float
) -> None:
    """Put one event of ``source`` (``aws.sagemaker``) on the default bus of this account and region, at ``moment``.

    Rules that match have passed it on to their targets when this returns. MiniStack's own PutEvents stamps real time
    and keeps every event for ever.
    """
    eventbridge._ensure_default_bus()
    event = {
        "EventId": str(uuid.uuid4()),
        "Source": source,
        "DetailType": detail_type,
        "Detail": json.dumps(detail),
        "EventBusName": "default",
        "Time": int(moment),
        "Resources": list(resources),
        "Account": account_id(),
        "Region": region(),
    }
    view = eventbridge._pattern_event_view(event)
    eventbridge._dispatch_event(event, view)
    eventbridge._archive_event(event, view)
