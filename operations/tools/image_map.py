"""Makes ``constructs/sandcastle/image_uris.json``: the container image of each algorithm in each region.

Synth must not import the SageMaker SDK, so the SDK's tables are copied here into one committed file:
``python -m operations.tools.image_map`` rewrites it, without a network and without credentials.
"""

from __future__ import annotations

import functools
import json
import logging
import sys
from collections.abc import Iterable
from importlib.metadata import version
from pathlib import Path
from typing import Any

TARGET = Path(__file__).resolve().parents[2] / "constructs" / "sandcastle" / "image_uris.json"

IMAGES: dict[str, dict[str, str]] = {
    "kmeans": {"framework": "kmeans", "version": "1"},
    "linear-learner": {"framework": "linear-learner", "version": "1"},
    "model-monitor": {"framework": "model-monitor"},
    "pytorch": {
        "framework": "pytorch",
        "version": "2.10.0",
        "py_version": "py313",
        "image_scope": "training",
        "instance_type": "ml.m5.large",
    },
    "pytorch-inference": {
        "framework": "pytorch",
        "version": "2.6.0",
        "py_version": "py312",
        "image_scope": "inference",
        "instance_type": "ml.m5.large",
    },
    "sklearn": {
        "framework": "sklearn",
        "version": "1.9-0",
        "py_version": "py3",
        "instance_type": "ml.m5.large",
    },
    "xgboost": {"framework": "xgboost", "version": "3.2-0"},
}
"""What is looked up per key: the newest version that SDK 3.27 lists of each. The versions of XGBoost and scikit-learn
match the libraries that localcloud runs in their place; PyTorch's images for training and for serving have never had
the same newest version, so a model is best saved as what both read (a state_dict)."""

OPTIONAL = ("model-monitor",)
"""What a region may lack: only a pipeline needs it, and the checks of an environment file say so."""

PARTITIONS = ("aws", "aws-cn", "aws-us-gov")


def regions() -> list[str]:
    """Return all regions in which boto3 knows SageMaker."""
    import boto3

    session = boto3.session.Session()
    return sorted({name for part in PARTITIONS for name in session.get_available_regions("sagemaker", part)})


def lookup(names: Iterable[str]) -> dict[str, dict[str, str]]:
    """Return image key to URI for each of the regions that has all images but the optional ones.

    The youngest regions have PyTorch's alone, and what no data can be prepared in (scikit-learn's) is no use.
    """
    logging.disable(logging.WARNING)  # the SDK logs each default that it takes
    from sagemaker.core import common_utils, image_uris

    # retrieve() parses botocore's endpoint table on every call; once is enough.
    resolver: Any = common_utils
    resolver._botocore_resolver = functools.lru_cache(None)(resolver._botocore_resolver)
    found: dict[str, dict[str, str]] = {}
    for region in names:
        for key, arguments in IMAGES.items():
            try:
                uri = image_uris.retrieve(region=region, **arguments)
            except (ValueError, KeyError):  # how the SDK says that the region has no such image
                continue
            found.setdefault(region, {})[key] = uri
    needed = IMAGES.keys() - OPTIONAL
    return {region: row for region, row in found.items() if needed <= row.keys()}


def build() -> dict[str, Any]:
    """Return the whole file's content."""
    return {
        "source": f"sagemaker {version('sagemaker')}, sagemaker-core {version('sagemaker-core')}: core.image_uris",
        "images": IMAGES,
        "regions": lookup(regions()),
    }


def main() -> int:
    """Write the file and say what it holds."""
    content = build()
    TARGET.write_text(json.dumps(content, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    print(f"{TARGET.name}: {len(IMAGES)} images in {len(content['regions'])} regions")
    return 0


if __name__ == "__main__":
    sys.exit(main())
