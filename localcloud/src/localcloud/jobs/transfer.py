"""S3 in and out of a job's directories, under the job's role.

The texts of failures follow those seen on AWS ("Unable to download object s3://... (AccessDenied: ...)",
"No S3 objects found under S3 URL ...", "... has an illegal char sub-sequence '//' in it"); the caller adds the
service's prefix, such as `ClientError: Data download failed:`.
"""

import json
import os
import tarfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from localcloud.jobs.aws import RoleClients, message_of
from localcloud.jobs.spec import InputSpec

_CHUNK = 1 << 20


class TransferFailed(Exception):
    """Something could not be read from or written to S3; the text is the part after the service's prefix."""


@dataclass(frozen=True)
class S3Uri:
    """`s3://bucket/key`."""

    bucket: str
    key: str

    @classmethod
    def parse(cls, uri: str) -> "S3Uri":
        """Raises TransferFailed for anything but `s3://<bucket>[/<key>]`."""
        bucket, _, key = uri.removeprefix("s3://").partition("/")
        if not uri.startswith("s3://") or not bucket:
            raise TransferFailed(f"{uri} is not an S3 URI")
        return cls(bucket, key)

    def __str__(self) -> str:
        """The URI again."""
        return f"s3://{self.bucket}/{self.key}"

    def child(self, relative: str) -> "S3Uri":
        """The object `relative` below this prefix."""
        return S3Uri(self.bucket, f"{self.key.rstrip('/')}/{relative}" if self.key.strip("/") else relative)


class Transfer:
    """Downloads and uploads as one role."""

    def __init__(self, clients: RoleClients, role_arn: str) -> None:
        self._s3 = clients.s3
        self._region = clients.region
        self._role_arn = role_arn

    def download_input(self, source: InputSpec, target: Path, share: tuple[int, int] = (0, 1)) -> None:
        """Put the objects of one channel or processing input under `target`. Raises TransferFailed.

        `share` is (number of the host from 0, number of hosts): with ShardedByS3Key a host gets every n-th object
        ([B] "approximately 1/n of the number of S3 objects"; which ones is not said), which may be none.
        """
        target.mkdir(parents=True, exist_ok=True)
        if source.data_type == "S3Prefix":
            objects = list(self._below(source.s3_uri))
            if not objects:
                raise TransferFailed(self._nothing_found(source.s3_uri))
        elif source.data_type == "ManifestFile":
            objects = self._listed(S3Uri.parse(source.s3_uri), target)
        else:
            raise TransferFailed(f"localcloud does not support S3DataType {source.data_type}")
        number, hosts = share if source.distribution == "ShardedByS3Key" else (0, 1)
        for uri, name in objects[number::hosts]:
            self.download(uri, target / self._safe(uri, name))

    def download_prefix(self, uri: str, target: Path) -> None:
        """Every object whose key starts with the URI's key, by its relative name. Raises TransferFailed."""
        for source, name in self._below(uri):
            self.download(source, target / self._safe(source, name))

    def download(self, source: S3Uri, target: Path) -> None:
        """One object to one file. Raises TransferFailed."""
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            body = self._s3.get_object(Bucket=source.bucket, Key=source.key)["Body"]
            with target.open("wb") as file:
                while chunk := body.read(_CHUNK):
                    file.write(chunk)
        except ClientError as error:
            raise TransferFailed(f"Unable to download object {source} ({message_of(error)})") from error
        except BotoCoreError as error:
            raise TransferFailed(f"Unable to download object {source} ({error})") from error

    def upload(self, source: Path, target: S3Uri) -> None:
        """One file to one object. Raises TransferFailed."""
        try:
            with source.open("rb") as body:
                self._s3.put_object(Bucket=target.bucket, Key=target.key, Body=body)
        except ClientError as error:
            raise TransferFailed(f"Unable to upload object {target} ({message_of(error)})") from error
        except BotoCoreError as error:
            raise TransferFailed(f"Unable to upload object {target} ({error})") from error

    def upload_files(self, entries: Mapping[str, Path], target: S3Uri) -> None:
        """Every regular file of these, by relative path; symbolic links are left out, as on AWS."""
        for name in sorted(entries):
            if entries[name].is_file() and not entries[name].is_symlink():
                self.upload(entries[name], target.child(name))

    def delete(self, target: S3Uri) -> None:
        """Remove one object. Raises TransferFailed."""
        try:
            self._s3.delete_object(Bucket=target.bucket, Key=target.key)
        except (ClientError, BotoCoreError) as error:
            detail = message_of(error) if isinstance(error, ClientError) else str(error)
            raise TransferFailed(f"Unable to delete object {target} ({detail})") from error

    def _below(self, uri: str) -> Iterator[tuple[S3Uri, str]]:
        """(object, its relative name) of every object whose key starts with the URI's key; no folder markers."""
        prefix = S3Uri.parse(uri)
        for key in self._keys(prefix):
            name = relative_name(prefix, key)
            if name and not name.endswith("/"):
                yield S3Uri(prefix.bucket, key), name

    def _keys(self, prefix: S3Uri) -> Iterator[str]:
        try:
            for page in self._s3.get_paginator("list_objects_v2").paginate(Bucket=prefix.bucket, Prefix=prefix.key):
                for entry in page.get("Contents", []):
                    yield entry["Key"]
        except ClientError as error:
            detail = message_of(error)
            raise TransferFailed(f"Failed to download data. {detail}. ListObjectsV2 failed for {prefix}") from error
        except BotoCoreError as error:
            raise TransferFailed(f"Failed to download data. ListObjectsV2 failed for {prefix} ({error})") from error

    def _listed(self, manifest: S3Uri, target: Path) -> list[tuple[S3Uri, str]]:
        """(object, its relative name) of `[{"prefix": "s3://bucket/folder/"}, "relative/key", ...]`."""
        text = target.parent / f".{target.name}.manifest"
        self.download(manifest, text)
        try:
            entries: list[Any] = json.loads(text.read_text())
            base, names = S3Uri.parse(entries[0]["prefix"]), [str(name) for name in entries[1:]]
        except (ValueError, LookupError, TypeError) as error:
            raise TransferFailed(f"Failed to download data. {manifest} is not a valid manifest file") from error
        finally:
            text.unlink()
        return [(S3Uri(base.bucket, base.key + name), name) for name in names]

    def _nothing_found(self, uri: str) -> str:
        bucket = S3Uri.parse(uri).bucket
        return (
            f'No S3 objects found under S3 URL "{uri}" given in input data source. Please ensure that the bucket '
            f"exists in the selected region ({self._region}), that objects exist under that S3 prefix, and that the "
            f'role "{self._role_arn}" has "s3:ListBucket" permissions on bucket "{bucket}".'
        )

    @staticmethod
    def _safe(source: S3Uri, name: str) -> str:
        """Refuse keys that cannot be file names below the target. Raises TransferFailed."""
        if "//" in name or ".." in name.split("/") or name.startswith("/"):
            bad = "//" if "//" in name or name.startswith("/") else ".."
            raise TransferFailed(
                f"Failed to download data. S3 key: {source} has an illegal char sub-sequence '{bad}' in it"
            )
        return name


def relative_name(prefix: S3Uri, key: str) -> str:
    """A key's path below the last complete folder of a prefix, so that one object has its own name."""
    if key.startswith(prefix.key.rstrip("/") + "/") or not prefix.key:
        return key[len(prefix.key.rstrip("/")) :].lstrip("/")
    return key[prefix.key.rfind("/") + 1 :]


def files_below(root: Path) -> Iterator[tuple[str, Path]]:
    """(relative path with forward slashes, path) of every regular file; symbolic links are not followed."""
    for folder, _, names in os.walk(root):
        for name in names:
            path = Path(folder) / name
            if path.is_file() and not path.is_symlink():
                yield path.relative_to(root).as_posix(), path


def make_archive(entries: Mapping[str, Path], target: Path) -> None:
    """`target` = tar.gz of these entries, as `merged` gives them."""

    def anonymous(member: tarfile.TarInfo) -> tarfile.TarInfo:
        member.uid = member.gid = 0
        member.uname = member.gname = "root"
        return member

    with tarfile.open(target, "w:gz", compresslevel=6) as archive:
        for name in sorted(entries):
            archive.add(entries[name], arcname=name, recursive=False, filter=anonymous)


def merged(folders: Iterable[Path]) -> dict[str, Path]:
    """relative path -> path of all that is in these folders; of two with the same name the first.

    [DG] your-algorithms-training-algo-output: what the hosts of a job write is aggregated in one archive, and they
    should see to it that names do not clash. When they do, the host with the lower number wins here.
    """
    found: dict[str, Path] = {}
    for root in folders:
        for folder, names, files in os.walk(root):
            here = Path(folder).relative_to(root)
            if not found.get(here.as_posix(), root).is_dir():  # a file of another host has this folder's name
                names.clear()
                continue
            for name in [*names, *files]:
                found.setdefault((here / name).as_posix(), Path(folder) / name)
    return found
