"""What the doctor leaves for synth, in the context file that CDK's own lookups use and that is committed."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

from operations.doctor.finding import Case
from operations.doctor.offered import monitor_state
from operations.doctor.quotas import too_low
from operations.project import ROOT
from sandcastle.config import monitoring
from sandcastle.config.doctor_notes import context_key

FILE = ROOT / "cdk.context.json"


def remember(case: Case, today: date, file: Path = FILE) -> dict[str, Any]:
    """Write what is known of the account and region, leaving all else in the file, and return it.

    Raises ClientError when AWS refuses to tell.
    """
    found = {"date": today.isoformat(), "model_monitor": monitor_state(case), "quotas": too_low(case)}
    values = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
    values[context_key(case.target.account, case.target.region)] = found
    if found["model_monitor"] == "available":  # else a person's word stays, who may have asked AWS
        values[monitoring.context_key(case.target.account, case.target.region)] = "open"
    file.write_text(json.dumps(values, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    return found
