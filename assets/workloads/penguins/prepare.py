"""Prepare the penguins table: measurements of a penguin, and its species.

Runs as a SageMaker processing job on AWS's scikit-learn image. Writes

* ``train/train.csv`` (60 %) and ``validation/validation.csv`` (20 %): the species' number first, then the six inputs as
  they are, texts and gaps included, no header;
* ``train/preprocessor.joblib``: the preprocessing (table.py), fitted to the training rows and to no others. It lies
  beside the rows that it was fitted to, so it reaches the training job with them, and the endpoint inside the model;
* ``test/test.csv`` (20 %): rows in the same form, for the endpoint;
* ``about/about.json``: where the rows come from;
* ``baseline/baseline.csv``, for a pipeline: the training rows with a header and the species' names.

The table is small and free, so it lies beside this program and is the whole public data set.

Runs on Python 3.8 and newer with pandas 1.1 and newer.
"""

from __future__ import annotations

import io
import pkgutil
from pathlib import Path

import job
import joblib
import pandas as pd
import table
from splits import stratified_split

SEED = 344
"""Of the split: the number of penguins."""
FRACTIONS = (0.6, 0.2, 0.2)
"""Train, validation and test."""


def main() -> None:
    """Read the table, split it, fit the preprocessing and write everything with its description."""
    penguins = read()
    species = penguins[table.LABEL].map({name: number for number, name in enumerate(table.SPECIES)})
    rows = {}
    for name, chosen in zip(job.SPLITS, stratified_split(species.to_numpy(), FRACTIONS, SEED)):
        part = penguins.iloc[chosen]
        rows[name] = write(job.output(name) / f"{name}.csv", part, species.iloc[chosen])
        if name == "train":
            fitted = table.preprocessing().fit(part[list(table.FEATURES)])
            joblib.dump(fitted, str(job.output(name) / "preprocessor.joblib"))
            if job.wants_baseline():  # with the names of species, as the endpoint answers them
                write(job.output("baseline") / "baseline.csv", part, part[table.LABEL], header=True)
    job.write_about(
        origin="real",
        source="344 penguins of the Palmer Archipelago (palmerpenguins, CC0)",
        rows=rows,
        features=table.FEATURES,
        label=table.LABEL,
        classes=table.SPECIES,
    )


def read() -> pd.DataFrame:
    """Return the 344 penguins of ``penguins.csv`` with the columns that are used."""
    # The program runs from a zip archive, so the table is no file of the machine: its module's loader reads it.
    content = pkgutil.get_data("table", "penguins.csv")
    if content is None:
        raise job.JobError("penguins.csv is not beside prepare.py")
    header, _, rows = content.decode("utf-8").partition("\n")
    whole = table.rows_of_csv(rows, header.strip().split(","))
    return whole[[table.LABEL, *table.FEATURES]]


def write(path: Path, part: pd.DataFrame, species: pd.Series, header: bool = False) -> int:
    """Write the species and the inputs of each row; return how many rows there are."""
    written = part[list(table.FEATURES)].copy()
    written.insert(0, table.LABEL, species.to_numpy())
    text = io.StringIO()
    written.to_csv(text, header=header, index=False, float_format="%.6g", lineterminator="\n")
    path.write_text(text.getvalue(), encoding="utf-8")
    return len(written)


if __name__ == "__main__":
    job.run(main)
