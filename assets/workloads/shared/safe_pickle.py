"""Reading a pickle that nobody here wrote.

A pickle is a program: loading one may call any function it names. ``mnist.pkl.gz`` comes from a public
bucket, so it is loaded by an unpickler that knows only what numpy needs to rebuild an array and refuses
every other name. What remains is lists, tuples, numbers, text and arrays; the caller checks that they are
what it expects.

Runs on Python 3.8 and newer.
"""

from __future__ import annotations

import gzip
import pickle
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from pathlib import Path


class UnsafePickleError(Exception):
    """The file is not a pickle of numpy arrays."""


def _latin1(text: str, encoding: str) -> bytes:
    """How Python 3 writes bytes in the older pickle protocols; no other codec is needed or offered."""
    if encoding != "latin1":
        raise UnsafePickleError(f"it asks for the codec {encoding}; only latin1 is admitted")
    return text.encode("latin1")


# Asked of numpy itself: the function's module is numpy.core or numpy._core, depending on the version.
_RECONSTRUCT = np.zeros(0).__reduce__()[0]

_ALLOWED: dict[tuple[str, str], Any] = {
    ("numpy", "ndarray"): np.ndarray,
    ("numpy", "dtype"): np.dtype,
    ("numpy.core.multiarray", "_reconstruct"): _RECONSTRUCT,
    ("numpy._core.multiarray", "_reconstruct"): _RECONSTRUCT,
    ("_codecs", "encode"): _latin1,
}


class _ArraysOnly(pickle.Unpickler):
    def find_class(self, module_name: str, global_name: str) -> Any:
        try:
            return _ALLOWED[(module_name, global_name)]
        except KeyError:
            raise UnsafePickleError(
                f"it asks for {module_name}.{global_name}; only numpy arrays are admitted"
            ) from None


def load_gzip(path: Path) -> Any:
    """Load the gzip-compressed pickle at ``path``; raise UnsafePickleError when it holds anything but arrays.

    Raises OSError or EOFError when the compression is damaged. Text of Python 2 is read as Latin-1, as
    numpy requires for arrays that Python 2 pickled.
    """
    with gzip.open(path, "rb") as file:
        try:
            return _ArraysOnly(file, encoding="latin1").load()
        except (pickle.UnpicklingError, ValueError, TypeError, KeyError, IndexError, AttributeError) as error:
            raise UnsafePickleError(f"it is not a pickle of numpy arrays ({error})") from error
