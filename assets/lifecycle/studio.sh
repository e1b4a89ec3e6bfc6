# Runs in a user's space when an app starts, as the user (SageMaker developer guide, "Lifecycle configurations"): brings
# the tutorials to ~/tutorials and a configuration for the SageMaker SDK. Needs S3 and SageMaker, no internet. Whatever
# goes wrong is written to the log and never keeps the app from starting.
python=""
for candidate in /opt/conda/bin/python3 python3; do
  if "$candidate" -c "import boto3" 2>/dev/null; then python="$candidate"; break; fi
done
if [ -z "$python" ]; then
  echo "sandcastle: no Python with boto3 in this image, so there are no tutorials"
  exit 0
fi
timeout 240 "$python" - <<'END' || echo "sandcastle: the tutorials are not complete; they are tried again at the next start"
#include deliver.py


def user():
    """The owner of the space that this runs in, and the owner's folder."""
    about = json.loads(pathlib.Path("/opt/ml/metadata/resource-metadata.json").read_text())
    name = about.get("UserProfileName")
    if "SpaceName" in about:
        space = client("sagemaker").describe_space(DomainId=about["DomainId"], SpaceName=about["SpaceName"])
        name = space["OwnershipSettings"]["OwnerUserProfileName"]
    return name, f"users/{name}/"


main(user)
END
exit 0
