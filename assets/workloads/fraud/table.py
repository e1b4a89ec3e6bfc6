"""The credit-card table: its columns as published, and what is checked before anything is trained on it.

The table holds two days of card payments in Europe in September 2013, 284,807 of them, 492 of which were fraud
(A. Dal Pozzolo, O. Caelen, R. Johnson and G. Bontempi, "Calibrating Probability with Undersampling for Unbalanced
Classification", IEEE CIDM 2015). ``V1`` to ``V28`` are principal components, made so that nobody can tell the
payments' real attributes; ``Time`` is seconds since the first payment, ``Amount`` the sum.

Runs on Python 3.8 and newer with pandas 1.1 and newer.
"""

from __future__ import annotations

import job
import numpy as np
import pandas as pd

LABEL = "Class"
COMPONENTS = tuple(f"V{number}" for number in range(1, 29))
FEATURES = ("Time", *COMPONENTS, "Amount")
"""The 30 inputs of the model, in the table's order."""

COLUMNS = (*FEATURES, LABEL)
"""The 31 columns of the table, in order."""


def checked(raw: pd.DataFrame) -> pd.DataFrame:
    """Return the 31 columns as numbers, with the rows of ``raw`` in the same order.

    Raises JobError on a missing column, a value that is not a finite number, or a label other than 0 and 1.
    """
    missing = [name for name in COLUMNS if name not in raw.columns]
    if missing:
        raise job.JobError(f"the credit-card table lacks the columns {', '.join(missing)}")
    table = raw[list(COLUMNS)].apply(pd.to_numeric, errors="coerce")
    for name in COLUMNS:
        if not np.isfinite(table[name].to_numpy(dtype=float)).all():
            raise job.JobError(f"column {name} of the credit-card table must hold a number in every row")
    if not table[LABEL].isin((0, 1)).all() or table[LABEL].nunique() != 2:
        raise job.JobError(f"column {LABEL} of the credit-card table must hold 0 (genuine) and 1 (fraud), and both")
    return table
