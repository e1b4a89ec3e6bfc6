"""Brings tutorials, what they need to know, and a configuration for the SageMaker SDK. Part of lifecycle scripts.

A file that its user has changed stays as it is: what was delivered is noted in ``.sandcastle``, and only what is still
as delivered is replaced.
"""

import hashlib
import io
import json
import os
import pathlib
import zipfile

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

HOME = pathlib.Path.home()
KEPT = HOME / os.environ.get("SANDCASTLE_KEPT", "")  # what is below it survives a stop
NOTES = KEPT / ".sandcastle" / "delivered.json"
SETTINGS = Config(connect_timeout=5, read_timeout=20, retries={"mode": "standard", "total_max_attempts": 3})
REGION = os.environ["SANDCASTLE_REGION"]


def client(service):
    """A client that gives up in time."""
    return boto3.client(service, region_name=REGION, config=SETTINGS)


def noted():
    """What was delivered before, by path; nothing when the notes cannot be read: then every file counts as changed."""
    try:
        return dict(json.loads(NOTES.read_text()))
    except (OSError, ValueError, TypeError):
        return {}


def deliver(path, content, notes):
    """Write the file unless its user has changed it; say what became of it."""
    name, digest = str(path.relative_to(HOME)), hashlib.sha256(content).hexdigest()
    if path.exists():
        there = hashlib.sha256(path.read_bytes()).hexdigest()
        if there == digest:
            notes[name] = digest
            return 0
        if there != notes.get(name):
            print(f"sandcastle: ~/{name} was changed here and stays as it is")
            return 0
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    notes[name] = digest
    return 1


def tutorials(notes):
    """Every tutorial that this role may read."""
    s3, written = client("s3"), 0
    for line in os.environ["SANDCASTLE_TUTORIALS"].split():
        folder, bucket, key = line.split(",")
        try:
            archive = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
        except ClientError as error:
            if error.response["Error"]["Code"] not in ("AccessDenied", "403"):
                raise
            continue  # a workload that is not this user's
        target = KEPT / "tutorials" / folder
        with zipfile.ZipFile(io.BytesIO(archive)) as files:
            for entry in files.infolist():
                path = (target / entry.filename).resolve()
                if not entry.is_dir() and path.is_relative_to(target.resolve()):
                    written += deliver(path, files.read(entry), notes)
        print(f"sandcastle: tutorial {folder}")
    return written


def sdk(user, prefix):
    """Where the SDK puts things, and the tags without which IAM lets nobody start anything (schema: SDK 3.27)."""
    tags = [
        {"Key": "sandcastle:environment", "Value": os.environ["SANDCASTLE_ENVIRONMENT"]},
        {"Key": "sandcastle:user", "Value": user},
    ]
    session = {"DefaultS3Bucket": os.environ["SANDCASTLE_BUCKET"], "DefaultS3ObjectKeyPrefix": prefix}
    made = ("TrainingJob", "ProcessingJob", "TransformJob", "Model", "EndpointConfig", "Endpoint")
    modules = {"Session": session, "TelemetryOptOut": True}
    settings = {"PythonSDK": {"Modules": modules}, **{kind: {"Tags": tags} for kind in made}}
    return json.dumps({"SchemaVersion": "1.0", "SageMaker": settings}, indent=2).encode()  # JSON is YAML, too


def tell(user, prefix):
    """Write down where tutorials are and whose: `workbench.py` beside them reads it, whatever was there before."""
    _, partition, _, _, account, session = client("sts").get_caller_identity()["Arn"].split(":")
    role = f"arn:{partition}:iam::{account}:role{os.environ['SANDCASTLE_ROLE_PATH']}{session.split('/')[1]}"
    settings = {
        "environment": os.environ["SANDCASTLE_ENVIRONMENT"],
        "region": REGION,
        "user": user,
        "home": prefix,
        "data_bucket": os.environ["SANDCASTLE_BUCKET"],
        "models_bucket": os.environ["SANDCASTLE_MODELS"],
        "role": role,
        "instances": os.environ["SANDCASTLE_INSTANCES"].split(),
    }
    path = NOTES.with_name("environment.json")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(settings, indent=1))


def main(who):
    """Deliver everything; ``who`` returns the user and the user's folder in the bucket."""
    notes = noted()
    try:
        user, prefix = who()
        deliver(HOME / ".config" / "sagemaker" / "config.yaml", sdk(user, prefix), notes)
        print(f"sandcastle: {tutorials(notes)} new files in ~/{(KEPT / 'tutorials').relative_to(HOME)}")
        tell(user, prefix)
    except (BotoCoreError, ClientError, OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise SystemExit(f"sandcastle: {type(error).__name__}: {error}")  # noqa: B904  # one line is what the log needs
    finally:
        NOTES.parent.mkdir(parents=True, exist_ok=True)
        NOTES.write_text(json.dumps(notes, indent=1))
