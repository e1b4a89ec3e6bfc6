"""The penguins table: its columns, how rows are read, and the preprocessing that is fitted to the training rows.

344 penguins of three species, measured on three islands of the Palmer Archipelago (K. Gorman, T. Williams and W.
Fraser, "Ecological Sexual Dimorphism and Environmental Variability within a Community of Antarctic Penguins", PLoS ONE
9(3), 2014). The year of the measurement is in the table and no input: it says nothing about a penguin.

``prepare.py``, ``train.py`` and ``inference.py`` all read rows by this module, so that a gap or a wrong number means
the same everywhere. Runs on Python 3.8 and newer with pandas 1.1 and newer.
"""

from __future__ import annotations

import csv
import io
from typing import Any, Mapping, Sequence

import numpy as np
import pandas as pd

SPECIES = ("Adelie", "Chinstrap", "Gentoo")
"""What the labels 0, 1 and 2 mean."""

LABEL = "species"
TEXTS = ("island", "sex")
NUMBERS = ("bill_length_mm", "bill_depth_mm", "flipper_length_mm", "body_mass_g")
FEATURES = ("island", *NUMBERS, "sex")
"""The six inputs of the model, in the order of a row."""

GAPS = ("", "NA")
"""How a missing value is written in CSV; in JSON it is null or left out."""


class RowError(ValueError):
    """A row is not what the model reads; the text says which and why."""


def rows_of_csv(text: str, columns: Sequence[str] = FEATURES) -> pd.DataFrame:
    """Return the rows of a CSV without a header; raise RowError naming the row and column that is wrong."""
    lines = [line for line in csv.reader(io.StringIO(text)) if line]
    for number, line in enumerate(lines, start=1):
        if len(line) != len(columns):
            raise RowError(f"row {number} has {len(line)} values; a row has {len(columns)}: {', '.join(columns)}")
    values = [[None if value.strip() in GAPS else value.strip() for value in line] for line in lines]
    return _typed(values, columns)


def rows_of_json(document: Any) -> pd.DataFrame:
    """Return the rows of a list of objects, or of lists in the order of ``FEATURES``, by itself or below ``samples``.

    In an object a key may be left out: its value is then missing. Raises RowError on anything else.
    """
    samples = document.get("samples") if isinstance(document, Mapping) else document
    if not isinstance(samples, list):
        raise RowError('expected a list of penguins, or {"samples": [...]}')
    values: list[list[Any]] = []
    for number, sample in enumerate(samples, start=1):
        if isinstance(sample, Mapping):
            unknown = sorted(set(sample) - set(FEATURES))
            if unknown:
                raise RowError(f"row {number} has the key {unknown[0]!r}; known: {', '.join(FEATURES)}")
            values.append([sample.get(name) for name in FEATURES])
        elif isinstance(sample, list) and len(sample) == len(FEATURES):
            values.append(list(sample))
        else:
            raise RowError(f"row {number} is neither an object nor a list of {len(FEATURES)} values")
    return _typed(values, FEATURES)


def _typed(values: Sequence[Sequence[Any]], columns: Sequence[str]) -> pd.DataFrame:
    """Return a table with numbers where numbers belong; a missing one is NaN, a missing text is empty."""
    if not values:
        raise RowError("there is no row")
    table = {}
    for position, name in enumerate(columns):
        column = [row[position] for row in values]
        read = _number if name in NUMBERS else _text
        table[name] = [read(value, number, name) for number, value in enumerate(column, start=1)]
    kinds = {name: float if name in NUMBERS else object for name in columns}
    return pd.DataFrame({name: np.array(table[name], dtype=kinds[name]) for name in columns})


def _number(value: Any, row: int, name: str) -> float:
    if value is None:
        return float("nan")
    try:
        number = float("nan") if isinstance(value, bool) else float(value)
    except (TypeError, ValueError):
        number = float("nan")
    if not np.isfinite(number):
        raise RowError(f"{name} of row {row} is {value!r}, which is no finite number; leave out what is missing")
    return number


def _text(value: Any, row: int, name: str) -> str:
    if value is not None and not isinstance(value, str):
        raise RowError(f"{name} of row {row} is {value!r}, which is no text; leave out what is missing")
    return value or ""


def preprocessing() -> Any:
    """Return what turns rows into numbers, not yet fitted: gaps filled, texts one column per value, numbers scaled.

    A text that training has not seen becomes a row of zeros rather than an error.
    """
    from sklearn.compose import ColumnTransformer
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, StandardScaler

    numbers = make_pipeline(SimpleImputer(strategy="median"), StandardScaler())
    texts = make_pipeline(
        SimpleImputer(missing_values="", strategy="most_frequent"), OneHotEncoder(handle_unknown="ignore")
    )
    return ColumnTransformer([("numbers", numbers, list(NUMBERS)), ("texts", texts, list(TEXTS))])
