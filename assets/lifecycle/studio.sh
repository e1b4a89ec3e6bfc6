# Runs in a user's space when an app starts, as the user (SageMaker developer guide, "Lifecycle configurations"): brings
# the tutorials to ~/tutorials and a configuration for the SageMaker SDK. Needs S3 and SageMaker, no internet. Whatever
# goes wrong is written to the log and never keeps the app from starting. A file that its user has changed stays as
# it is: what was delivered is noted in ~/.sandcastle, and only what is still as delivered is replaced.
python=""
for candidate in /opt/conda/bin/python3 python3; do
  if "$candidate" -c "import boto3" 2>/dev/null; then python="$candidate"; break; fi
done
if [ -z "$python" ]; then
  echo "sandcastle: no Python with boto3 in this image, so there are no tutorials"
  exit 0
fi
timeout 240 "$python" - <<'END' || echo "sandcastle: the tutorials are not complete; they are tried again at the next start"
import hashlib, io, json, os, pathlib, zipfile

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

HOME = pathlib.Path.home()
NOTES = HOME / ".sandcastle" / "delivered.json"
SETTINGS = Config(connect_timeout=5, read_timeout=20, retries={"mode": "standard", "total_max_attempts": 3})
REGION = os.environ["SANDCASTLE_REGION"]


def client(service):
    return boto3.client(service, region_name=REGION, config=SETTINGS)


def user():
    """The owner of the space that this runs in."""
    about = json.loads(pathlib.Path("/opt/ml/metadata/resource-metadata.json").read_text())
    if "SpaceName" not in about:
        return about["UserProfileName"]
    space = client("sagemaker").describe_space(DomainId=about["DomainId"], SpaceName=about["SpaceName"])
    return space["OwnershipSettings"]["OwnerUserProfileName"]


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
        target = HOME / "tutorials" / folder
        with zipfile.ZipFile(io.BytesIO(archive)) as files:
            for entry in files.infolist():
                path = (target / entry.filename).resolve()
                if not entry.is_dir() and path.is_relative_to(target.resolve()):
                    written += deliver(path, files.read(entry), notes)
        print(f"sandcastle: tutorial {folder}")
    return written


def sdk(name):
    """Where the SDK puts things, and the tags without which IAM lets nobody start anything (schema: SDK 3.27)."""
    tags = [
        {"Key": "sandcastle:environment", "Value": os.environ["SANDCASTLE_ENVIRONMENT"]},
        {"Key": "sandcastle:user", "Value": name},
    ]
    session = {"DefaultS3Bucket": os.environ["SANDCASTLE_BUCKET"], "DefaultS3ObjectKeyPrefix": f"users/{name}/"}
    made = ("TrainingJob", "ProcessingJob", "TransformJob", "Model", "EndpointConfig", "Endpoint")
    modules = {"Session": session, "TelemetryOptOut": True}
    settings = {"PythonSDK": {"Modules": modules}, **{kind: {"Tags": tags} for kind in made}}
    return json.dumps({"SchemaVersion": "1.0", "SageMaker": settings}, indent=2).encode()  # JSON is YAML, too


notes = json.loads(NOTES.read_text()) if NOTES.exists() else {}
try:
    deliver(HOME / ".config" / "sagemaker" / "config.yaml", sdk(user()), notes)
    print(f"sandcastle: {tutorials(notes)} new files in ~/tutorials")
except (BotoCoreError, ClientError, OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
    raise SystemExit(f"sandcastle: {type(error).__name__}: {error}")
finally:
    NOTES.parent.mkdir(parents=True, exist_ok=True)
    NOTES.write_text(json.dumps(notes, indent=1))
END
exit 0
