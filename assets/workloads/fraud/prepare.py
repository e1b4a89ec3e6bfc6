"""Prepare the credit-card table: what is known of a payment, and whether it was fraud.

Runs as a SageMaker processing job on AWS's scikit-learn image. Writes

* ``train/train.csv`` (70 %) and ``validation/validation.csv`` (20 %): label first, 30 inputs, no header, as
  built-in XGBoost reads it; the validation split is what the tuning is judged by;
* ``test/test.csv`` (10 %): the same form, for the endpoint;
* ``about/about.json``: where the rows come from;
* ``baseline/baseline.csv``, for a pipeline: the training rows with a header.

``SANDCASTLE_DATA=sample`` invents rows in the published form (generate.py). ``full`` reads ``creditcardfraud.zip``
from the input folder. Both go through the same checks (table.py) and split.

Runs on Python 3.8 and newer with pandas 1.1 and newer.
"""

from __future__ import annotations

import zipfile

import generate
import job
import pandas as pd
import table
from splits import stratified_split

SEED = 1729
FRACTIONS = (0.7, 0.2, 0.1)
"""Train, validation and test, with the same share of fraud in each: there are too few to leave that to chance."""

MEMBER = "creditcard.csv"
LARGEST = 400_000_000
"""Bytes that the table may have when it is unpacked; the published one has 151 million."""


def main() -> None:
    """Read or invent the table, check it, split it and write the three parts and their description."""
    if job.wants_full_data():
        raw, origin = public_table(), "public"
        source = "credit-card payments of European cardholders, September 2013 (Worldline and ULB), creditcard.csv"
    else:
        raw, origin = generate.payments(), "generated"
        source = f"{generate.ROWS:,} invented payments in the columns of the credit-card fraud table, one in 40 a fraud"
    payments = table.checked(raw)
    rows = {}
    for name, chosen in zip(job.SPLITS, stratified_split(payments[table.LABEL].to_numpy(), FRACTIONS, SEED)):
        part = payments.iloc[chosen]
        rows[name] = job.write_csv(job.output(name) / f"{name}.csv", part[table.LABEL], part[list(table.FEATURES)])
        if name == "train":
            job.write_baseline(table.LABEL, table.FEATURES, part[table.LABEL], part[list(table.FEATURES)])
    job.write_about(
        origin=origin,
        source=source,
        rows=rows,
        features=table.FEATURES,
        label=table.LABEL,
        classes=["genuine", "fraud"],
    )


def public_table() -> pd.DataFrame:
    """Return the table inside the downloaded archive; raise JobError when there is none or it is no table."""
    path = job.full_data_file()
    try:
        with zipfile.ZipFile(path) as archive:
            inside = [one for one in archive.infolist() if one.filename.rsplit("/", 1)[-1] == MEMBER]
            if len(inside) != 1:
                raise job.JobError(f"{path.name} must hold one {MEMBER}; it holds {len(inside)}")
            if inside[0].file_size > LARGEST:
                raise job.JobError(f"{MEMBER} would have {inside[0].file_size:,} bytes; at most {LARGEST:,} are read")
            with archive.open(inside[0]) as file:
                return pd.read_csv(file)
    except (zipfile.BadZipFile, OSError) as error:
        raise job.JobError(f"{path.name} is not a whole zip archive: {error}") from error
    except (UnicodeDecodeError, pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        raise job.JobError(f"{MEMBER} is not a CSV table: {error}") from error


if __name__ == "__main__":
    job.run(main)
