"""Train the penguins' classifier: logistic regression on rows that the prepare job's preprocessing turned into numbers.

Runs in script mode in AWS's scikit-learn image: hyperparameters come as arguments, folders as ``SM_*`` variables. The
model is one scikit-learn pipeline, the fitted preprocessing followed by the classifier, so that an endpoint takes rows
as they are. ``inference.py`` and what it imports go with it, below ``code/``.

Runs on Python 3.8 and newer.
"""

from __future__ import annotations

import argparse
import os
import shutil
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import table
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import classification_report, log_loss
from sklearn.pipeline import make_pipeline

SERVING = ("inference.py", "table.py")
"""What the endpoint needs of this folder."""


def main() -> None:
    """Fit the classifier to the training rows, judge it by the validation rows, and save it with its code."""
    options = arguments()
    train, validation = (Path(os.environ[f"SM_CHANNEL_{name}"]) for name in ("TRAIN", "VALIDATION"))
    # The prepare job of this very workload wrote it: a pickle is loaded from nowhere else.
    preprocessing = joblib.load(str(train / "preprocessor.joblib"))
    inputs, labels = rows(train / "train.csv")
    classifier = LogisticRegression(C=1 / options.regularization, max_iter=options.max_iter)
    classifier.fit(preprocessing.transform(inputs), labels)
    model = make_pipeline(preprocessing, classifier)

    inputs, labels = rows(validation / "validation.csv")
    answers, everything = model.predict(inputs), list(range(len(table.SPECIES)))
    print(classification_report(labels, answers, labels=everything, target_names=table.SPECIES, zero_division=0))
    print(f"val_loss={log_loss(labels, model.predict_proba(inputs), labels=everything):.6f}")
    print(f"val_accuracy={np.mean(answers == labels):.6f}")
    save(model, Path(os.environ["SM_MODEL_DIR"]))


def arguments() -> argparse.Namespace:
    """Return the hyperparameters. Others are ignored: a tuning job adds one of its own."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--regularization", type=float, default=1.0, help="how strongly large weights are held down")
    parser.add_argument("--max_iter", type=int, default=1000, help="steps of the solver, at most")
    return parser.parse_known_args()[0]


def rows(path: Path) -> tuple[Any, Any]:
    """Return the inputs and the labels of a CSV split."""
    read = table.rows_of_csv(path.read_text(encoding="utf-8"), ("label", *table.FEATURES))
    return read[list(table.FEATURES)], read["label"].astype(int).to_numpy()


def save(model: Any, folder: Path) -> None:
    """Write the model and the code that serves it: all of it becomes ``model.tar.gz``."""
    joblib.dump(model, str(folder / "model.joblib"))
    code = folder / "code"
    code.mkdir(exist_ok=True)
    for name in SERVING:
        shutil.copyfile(str(Path(__file__).parent / name), str(code / name))


if __name__ == "__main__":
    main()
