"""The bank-marketing table: its columns as published, and the tutorial's transformation of it.

The public table has 20 inputs and the answer ``y`` (S. Moro, P. Cortez and P. Rita, "A data-driven approach
to predict the success of bank telemarketing", Decision Support Systems 62, 2014; UCI "Bank Marketing",
``bank-additional-full.csv``). The tutorial trains on a cleaned copy with 61 columns of whole numbers. AWS's
notebook "Targeting Direct Marketing with Amazon SageMaker XGBoost" shows how that copy comes about, and
``clean`` does the same: two indicators are added, text columns become one column per value, and what would
not be known before the call (its duration, the economic figures) is dropped.

Runs on Python 3.8 and newer with pandas 1.1 and newer.
"""

from __future__ import annotations

import job
import pandas as pd

NUMBERS = ("age", "campaign", "pdays", "previous")
"""Numeric columns that are kept, in the order of the cleaned table."""

INDICATORS = ("no_previous_contact", "not_working")
"""Columns that the transformation adds."""

NEVER_CONTACTED = 999
"""What ``pdays`` says when the client was not contacted in an earlier campaign."""

NOT_WORKING = ("student", "retired", "unemployed")

CATEGORIES: dict[str, tuple[str, ...]] = {
    "job": (
        "admin.",
        "blue-collar",
        "entrepreneur",
        "housemaid",
        "management",
        "retired",
        "self-employed",
        "services",
        "student",
        "technician",
        "unemployed",
        "unknown",
    ),
    "marital": ("divorced", "married", "single", "unknown"),
    "education": (
        "basic.4y",
        "basic.6y",
        "basic.9y",
        "high.school",
        "illiterate",
        "professional.course",
        "university.degree",
        "unknown",
    ),
    "default": ("no", "unknown", "yes"),
    "housing": ("no", "unknown", "yes"),
    "loan": ("no", "unknown", "yes"),
    "contact": ("cellular", "telephone"),
    "month": ("apr", "aug", "dec", "jul", "jun", "mar", "may", "nov", "oct", "sep"),
    "day_of_week": ("fri", "mon", "thu", "tue", "wed"),
    "poutcome": ("failure", "nonexistent", "success"),
}
"""Text columns in the table's order; the values of each in the order of the columns made from them."""

ANSWER = "y"
LABEL = "y_yes"
LABELS = ("y_no", LABEL)

FEATURES = (
    *NUMBERS,
    *INDICATORS,
    *(f"{name}_{value}" for name, values in CATEGORIES.items() for value in values),
)
"""The 59 inputs of the model, in order."""

COLUMNS = (*FEATURES, *LABELS)
"""The 61 columns of the cleaned table, in order."""


def clean(raw: pd.DataFrame) -> pd.DataFrame:
    """Return the 61-column table, whole numbers only, with the rows of ``raw`` in the same order.

    ``raw`` needs the columns of ``NUMBERS`` and ``CATEGORIES`` and ``y``; others are left out. The values
    are known beforehand, so every column exists even when a small table lacks a rare value. Raises JobError
    on a missing column, a value that the published table does not have, or a gap.
    """
    missing = [name for name in (*NUMBERS, *CATEGORIES, ANSWER) if name not in raw.columns]
    if missing:
        raise job.JobError(f"the bank table lacks the columns {', '.join(missing)}")
    table = pd.DataFrame({name: _whole_numbers(raw, name) for name in NUMBERS}, index=raw.index)
    table["no_previous_contact"] = (raw["pdays"] == NEVER_CONTACTED).astype(int)
    table["not_working"] = raw["job"].isin(NOT_WORKING).astype(int)
    for name, values in (*CATEGORIES.items(), (ANSWER, ("no", "yes"))):
        unknown = sorted({str(value) for value in raw[name].unique()} - set(values))
        if unknown:
            known = ", ".join(values)
            raise job.JobError(f"column {name} of the bank table has the value '{unknown[0]}'; known: {known}")
        for value in values:
            table[f"{name}_{value}"] = (raw[name] == value).astype(int)
    return table[list(COLUMNS)]


def _whole_numbers(raw: pd.DataFrame, name: str) -> pd.Series:
    numbers = pd.to_numeric(raw[name], errors="coerce")
    if numbers.isna().any() or (numbers % 1 != 0).any():
        raise job.JobError(f"column {name} of the bank table must hold whole numbers in every row")
    return numbers.astype(int)
