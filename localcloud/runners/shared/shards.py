"""The files of sharded channels on their way to the first host of a job."""

import io
import tarfile
from pathlib import Path

from sagemaker_io import DATA, data_files, read_config


def pack() -> bytes:
    """The data files that this host has and the others do not, below the names of their channels."""
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w") as archive:
        for name, channel in read_config("inputdataconfig").items():
            if channel.get("S3DistributionType") == "ShardedByS3Key":
                for path in data_files(name):
                    archive.add(path, str(path.relative_to(DATA)))
    return content.getvalue()


def unpack(parts: list[bytes], folder: Path) -> None:
    """The packed files of several hosts; each object of a sharded channel is on one host, so no name comes twice."""
    for part in parts:
        with tarfile.open(fileobj=io.BytesIO(part)) as archive:
            archive.extractall(folder, filter="data")
