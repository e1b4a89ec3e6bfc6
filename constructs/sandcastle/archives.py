"""Archives (``.tar.gz``) that SageMaker reads as they are: the source of a script, and models that exist already."""

from __future__ import annotations

import gzip
import hashlib
import shutil
import tarfile
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import aws_cdk as cdk

from sandcastle.code import NOT_CODE, UploadedAsset
from sandcastle.fingerprint import code_files, hash_files

REQUIREMENTS = "requirements.txt"
"""What a framework's container installs before it runs the script, if the source has it."""


def source_files(folder: Path) -> Iterator[Path]:
    """Yield the source of a workload's script: all Python files below its folder, and its requirements."""
    for path in code_files(folder, NOT_CODE):
        if path.suffix == ".py" or path == folder / REQUIREMENTS:
            yield path


def source_archive(stack: cdk.Stack, folder: Path) -> UploadedAsset:
    """Make the source of the workload's script an asset of the stack."""
    files = list(source_files(folder))
    return _asset(stack, hash_files(folder, files), lambda target: _pack(folder, files, target))


def model_archive(stack: cdk.Stack, file: Path) -> UploadedAsset:
    """Make a model's archive an asset of the stack, as it is."""
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    return _asset(stack, digest, lambda target: shutil.copyfile(file, target))


def _asset(stack: cdk.Stack, digest: str, write: Callable[[Path], object]) -> UploadedAsset:
    """Have the file uploaded under a key that ends with ``.tar.gz``, by which SageMaker knows archives of models.

    CDK makes the key of the hash and the last of the file name's endings: so the first one is part of the hash.
    """
    target = Path(cdk.Stage.of(stack).outdir) / f"asset.{digest}.tar.gz"  # type: ignore[union-attr]  # it is in a stage
    if not target.exists():
        with tempfile.TemporaryDirectory(dir=target.parent, prefix="partial.") as folder:
            partial = Path(folder) / target.name
            write(partial)
            partial.replace(target)
    location = stack.synthesizer.add_file_asset(
        source_hash=f"{digest}.tar", file_name=target.name, packaging=cdk.FileAssetPackaging.FILE
    )
    return UploadedAsset(digest, location.bucket_name, location.object_key)


def _pack(folder: Path, files: Sequence[Path], target: Path) -> None:
    """Write the files so that the same ones make the same archive: no times, owners or modes of this machine."""
    with (
        target.open("wb") as raw,
        gzip.GzipFile(filename="", mode="wb", fileobj=raw, mtime=0) as packed,
        tarfile.open(fileobj=packed, mode="w", format=tarfile.USTAR_FORMAT) as archive,
    ):
        for file in files:
            member = tarfile.TarInfo(file.relative_to(folder).as_posix())
            member.size, member.mode = file.stat().st_size, 0o644
            with file.open("rb") as content:
                archive.addfile(member, content)
