"""The customer's code: from a directory or an archive that lies here, or from S3, to the code folder."""

import os
import shutil
import tarfile
import tempfile
from pathlib import Path
from urllib.parse import urlsplit

from log import log
from sagemaker_io import BASE

#: what is written in requests; a process without a private /opt/ml has its folder elsewhere
_BASE = "/opt/ml"


def here(path: str) -> Path:
    """The place of a path that was written for a container."""
    if path == _BASE or path.startswith(f"{_BASE}/"):
        return BASE / path[len(_BASE) :].lstrip("/")
    return Path(path)


def fetch(uri: str, code: Path) -> None:
    """Put the code into the folder `code`, unless something is in it. The toolkit's cases, in its order.

    Raises OSError, tarfile.TarError, and boto3's errors for S3.
    """
    code.mkdir(parents=True, exist_ok=True)
    if any(code.iterdir()):
        log(f"Provided path: {code} is not empty, abandoning unzipping sourcedir.tar.gz")
        return
    if uri.startswith("s3://"):
        with tempfile.TemporaryDirectory() as folder:
            archive = Path(folder) / "sourcedir.tar.gz"
            _download(uri, archive)
            _unpack(archive, code)
        return
    place = here(uri)
    if place == code:
        return
    if place.is_dir():
        shutil.copytree(place, code, dirs_exist_ok=True)
    elif tarfile.is_tarfile(place):
        _unpack(place, code)
    else:
        shutil.copy2(place, code)


def _unpack(archive: Path, code: Path) -> None:
    with tarfile.open(archive, "r:gz") as members:
        members.extractall(code, filter="data")


def _download(uri: str, archive: Path) -> None:
    import boto3  # only this case needs it

    place = urlsplit(uri)
    client = boto3.client(
        "s3", region_name=os.environ.get("AWS_REGION"), endpoint_url=os.environ.get("S3_ENDPOINT_URL")
    )
    client.download_file(place.netloc, place.path.lstrip("/"), str(archive))
