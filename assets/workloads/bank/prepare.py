"""Prepare the bank table: what is known of a client before the call, and whether it takes the deposit.

Runs as a SageMaker processing job on AWS's scikit-learn image. Writes

* ``train/train.csv``: label first, 59 inputs, no header, as built-in XGBoost reads it;
* ``test/test.csv``: the same form, for the endpoint;
* ``about/about.json``: where the rows come from;
* ``baseline/baseline.csv``, for a pipeline: the training rows with a header.

There is no validation split: the tutorial trains without one and judges by the test split alone.

``SANDCASTLE_DATA=sample`` invents rows in the published form (generate.py). ``full`` reads the public table
``bank-additional-full.csv`` from the input folder. Both go through the same transformation (table.py) and
split.

Runs on Python 3.8 and newer with pandas 1.1 and newer.
"""

from __future__ import annotations

import generate
import job
import pandas as pd
import table

SEED = 1729
TRAIN_SHARE = 0.7


def main() -> None:
    """Read or invent the table, transform it, split it and write both parts and their description."""
    if job.wants_full_data():
        raw, origin = public_table(), "public"
        source = "UCI Bank Marketing, bank-additional-full.csv of SageMaker's example files"
    else:
        raw, origin = generate.clients(), "generated"
        source = f"{generate.ROWS:,} invented clients in the columns and class balance of UCI Bank Marketing"
    train, test = split(table.clean(raw))
    for name, part in (("train", train), ("test", test)):
        job.write_csv(job.output(name) / f"{name}.csv", part[table.LABEL], part[list(table.FEATURES)])
    job.write_baseline(table.LABEL, table.FEATURES, train[table.LABEL], train[list(table.FEATURES)])
    job.write_about(
        origin=origin,
        source=source,
        rows={"train": len(train), "test": len(test)},
        features=table.FEATURES,
        label=table.LABEL,
        classes=["No Purchase", "Purchase"],
    )


def split(cleaned: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the tutorial's training rows (70 %) and test rows (30 %).

    The same rows in the same order as ``np.split(df.sample(frac=1, random_state=1729), [int(0.7 *
    len(df))])``, which newer pandas can no longer pass through numpy.
    """
    shuffled = cleaned.sample(frac=1, random_state=SEED)
    cut = int(TRAIN_SHARE * len(shuffled))
    return shuffled.iloc[:cut], shuffled.iloc[cut:]


def public_table() -> pd.DataFrame:
    """Return the downloaded table as it is; raise JobError when it is not a table with more than one row.

    The UCI's file separates columns by semicolons and AWS's copies by commas, so the header line decides.
    """
    path = job.full_data_file()
    try:
        with path.open(encoding="utf-8") as file:
            header = file.readline()
        # Empty fields stay empty text, which is then reported as a value that the table does not have.
        raw = pd.read_csv(path, sep=";" if ";" in header else ",", keep_default_na=False)
    except (UnicodeDecodeError, pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        raise job.JobError(f"{path.name} is not a CSV table: {error}") from error
    if len(raw) < 2:
        raise job.JobError(f"{path.name} has {len(raw)} rows")
    return raw


if __name__ == "__main__":
    job.run(main)
