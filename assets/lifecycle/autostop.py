"""Stops the notebook instance that it runs on when nobody has used it for a while. Needs SageMaker's API, no internet.

Jupyter says what is used, on the instance itself: kernels with their last activity, and terminals (Jupyter Server,
"REST API"; that it listens on port 8443 with a certificate of its own: the auto-stop sample of AWS). An instance that
nobody ever opened has been idle since it started. While Jupyter does not answer nothing is known, and nothing is
stopped: at the latest, the daily schedule does.
"""

import calendar
import json
import os
import pathlib
import ssl
import time
import urllib.request
from datetime import datetime

JUPYTER = os.environ.get("SANDCASTLE_JUPYTER", "https://localhost:8443")
IDLE_SECONDS = 60 * float(os.environ.get("SANDCASTLE_IDLE_MINUTES", "60"))
PAUSE_SECONDS = float(os.environ.get("SANDCASTLE_PAUSE_SECONDS", "120"))
METADATA = pathlib.Path(os.environ.get("SANDCASTLE_METADATA", "/opt/ml/metadata/resource-metadata.json"))
_UNVERIFIED = ssl._create_unverified_context()  # noqa: S323  # it is this machine, under a certificate of its own


def ask(what):
    """What Jupyter answers to ``/api/what``."""
    with urllib.request.urlopen(f"{JUPYTER}/api/{what}", timeout=20, context=_UNVERIFIED) as reply:
        return json.load(reply)


def seconds_of(moment):
    """A time as Jupyter writes it, such as ``2026-11-21T09:30:00.123456Z``, in seconds since 1970."""
    return float(calendar.timegm(time.strptime(moment[:19], "%Y-%m-%dT%H:%M:%S")))


def last_used(kernels, terminals, now):
    """When somebody used it last, in seconds since 1970; 0 when nobody ever did.

    A kernel that computes is being used. A terminal of an old Jupyter does not tell when it was: it counts for nothing.
    """
    if any(kernel.get("execution_state") == "busy" for kernel in kernels):
        return now
    known = [one["last_activity"] for one in (*kernels, *terminals) if one.get("last_activity")]
    return max(map(seconds_of, known), default=0.0)


def stop():
    """Stop this instance, whatever Python's path holds by now."""
    import boto3

    name = json.loads(METADATA.read_text())["ResourceName"]
    boto3.client("sagemaker", region_name=os.environ["SANDCASTLE_REGION"]).stop_notebook_instance(
        NotebookInstanceName=name
    )


def watch(used):
    """Look once; ``used`` is when it was used last as far as is known, and so is what this returns."""
    try:
        now = time.time()
        sessions = [session["kernel"] for session in ask("sessions") if session.get("kernel")]
        used = max(used, last_used([*ask("kernels"), *sessions], ask("terminals"), now))
        if now - used >= IDLE_SECONDS:
            print(f"{datetime.now()} idle for {(now - used) / 60:.0f} minutes: stopping", flush=True)
            stop()
    except Exception as error:  # whatever it is, it must not end the watch
        print(f"{datetime.now()} {type(error).__name__}: {error}", flush=True)
    return used


def main():
    """Look again and again until the instance, and this with it, is stopped."""
    used = time.time()
    print(f"this instance stops after {IDLE_SECONDS / 60:.0f} idle minutes", flush=True)
    while True:
        used = watch(used)
        time.sleep(PAUSE_SECONDS)


if __name__ == "__main__":
    main()
