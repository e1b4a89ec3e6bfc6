"""Folders of code that run inside AWS, as assets: copied beside the templates, uploaded by the CDK command line."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import aws_cdk as cdk

from sandcastle.fingerprint import code_files, hash_folder

NOT_CODE = ("__pycache__", "*.pyc", "*.md", "*.yaml", "*.ipynb", ".*")
"""What a folder holds beside code: changing it uploads nothing and runs no job again."""


@dataclass(frozen=True)
class UploadedAsset:
    """An object in the bootstrap bucket: zipped folder, archive or script. ``digest`` is the hash of what is in it."""

    digest: str
    bucket: str
    key: str

    @property
    def url(self) -> str:
        """The address in S3."""
        return f"s3://{self.bucket}/{self.key}"

    @property
    def file_name(self) -> str:
        """What it is called where SageMaker puts it."""
        return self.key.rpartition("/")[2]


def code_asset(stack: cdk.Stack, folder: Path, ignored: Sequence[str] = NOT_CODE) -> UploadedAsset:
    """Make the folder's code an asset of the stack.

    This is what CDK's ``Asset`` construct does for a folder, without its 110 ms on first use: files are copied to
    ``asset.<hash>`` in the cloud assembly, and the synthesizer notes them. The hash is over names and bytes.
    """
    digest = hash_folder(folder, ignored)
    target = _assembly(stack) / f"asset.{digest}"
    if not target.exists():
        _copy(folder, ignored, target)
    location = stack.synthesizer.add_file_asset(
        source_hash=digest, file_name=target.name, packaging=cdk.FileAssetPackaging.ZIP_DIRECTORY
    )
    return UploadedAsset(digest, location.bucket_name, location.object_key)


def script_asset(stack: cdk.Stack, file: Path) -> UploadedAsset:
    """Make one file of Python an asset of the stack, as it is: for what runs scripts and no archives."""
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    target = _assembly(stack) / f"asset.{digest}{file.suffix}"
    if not target.exists():
        with tempfile.TemporaryDirectory(dir=target.parent, prefix="partial.") as folder:
            shutil.copyfile(file, Path(folder) / target.name)
            (Path(folder) / target.name).replace(target)
    location = stack.synthesizer.add_file_asset(
        source_hash=digest, file_name=target.name, packaging=cdk.FileAssetPackaging.FILE
    )
    return UploadedAsset(digest, location.bucket_name, location.object_key)


def _assembly(stack: cdk.Stack) -> Path:
    """Return the folder that the app is written to."""
    return Path(cast("cdk.Stage", cdk.Stage.of(stack)).outdir)  # a stack is always in one


def _copy(folder: Path, ignored: Sequence[str], target: Path) -> None:
    """Copy the code so that the target exists only when it is whole.

    The archive made of it keeps the modes of files, and Lambda runs as another user than the one in the archive:
    everything is readable to all, whatever the umask of whoever synthesises.
    """
    partial = Path(tempfile.mkdtemp(dir=target.parent, prefix="partial."))
    for source in code_files(folder, ignored):
        copy = partial / source.relative_to(folder)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, copy)
    for path in (partial, *partial.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)
    try:
        partial.replace(target)
    except OSError:  # another synthesis into the same folder was quicker, with the same files
        if not target.exists():
            raise
        shutil.rmtree(partial)
