"""Train the network on the digits.

Runs in script mode in AWS's PyTorch training image (Python 3.13, PyTorch 2): hyperparameters come as arguments, folders
as ``SM_*`` variables. After each epoch it prints ``val_accuracy=...``, which a tuning job reads from the log. The
weights, and the code that serves them below ``code/``, become ``model.tar.gz``.
"""

from __future__ import annotations

import argparse
import os
import shutil
from pathlib import Path
from typing import Tuple

import numpy as np
import torch
from network import PIXELS, Network
from torch.nn.functional import cross_entropy

SERVING = ("inference.py", "network.py", "picture.py", "fetch.py")
"""What the endpoint needs of this folder."""

Split = Tuple[torch.Tensor, torch.Tensor]
"""Pictures, (rows, 784), and the digit on each, (rows,)."""


def main() -> None:
    """Train for some epochs, printing after each how well the validation pictures are told, and save the model."""
    options = arguments()
    torch.manual_seed(options.seed)
    torch.set_num_threads(1)  # so small a network loses by dividing its work, and the same seed gives the same weights
    train, validation = (read(os.environ[f"SM_CHANNEL_{name}"]) for name in ("TRAIN", "VALIDATION"))
    print(f"{len(train[1])} pictures to train, {len(validation[1])} to validate; torch {torch.__version__}", flush=True)
    network = Network()
    optimizer = torch.optim.SGD(network.parameters(), lr=options.learning_rate, momentum=0.9)
    smaller = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, options.epochs)
    for epoch in range(1, options.epochs + 1):
        loss = one_epoch(network, optimizer, train, options.batch_size)
        smaller.step()  # large steps at first, tiny ones in the end: the last epoch is then about the best
        val_loss, val_accuracy = judge(network, validation)
        print(f"epoch {epoch}: loss={loss:.6f} val_loss={val_loss:.6f} val_accuracy={val_accuracy:.6f}", flush=True)
    save(network, Path(os.environ["SM_MODEL_DIR"]))


def arguments() -> argparse.Namespace:
    """Return the hyperparameters. Others are ignored: a tuning job adds one of its own."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--learning_rate", type=float, default=0.02)
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--batch_size", type=int, default=32)
    parser.add_argument("--seed", type=int, default=1)
    return parser.parse_known_args()[0]


def read(folder: str) -> Split:
    """Return the split in the folder's CSV files, the digit first; raise ValueError when a row has another width."""
    files = sorted(Path(folder).glob("*.csv"))
    if not files:
        raise ValueError(f"{folder} holds no CSV file")
    rows = np.concatenate([np.loadtxt(str(file), delimiter=",", dtype=np.float32, ndmin=2) for file in files])
    if rows.shape[1] != 1 + PIXELS:
        raise ValueError(f"a row of {folder} has {rows.shape[1]} numbers, not a digit and {PIXELS} pixels")
    return torch.from_numpy(rows[:, 1:]), torch.from_numpy(rows[:, 0].astype(np.int64))


def one_epoch(network: Network, optimizer: torch.optim.Optimizer, train: Split, batch_size: int) -> float:
    """Show every training picture once, in another order each time, and return the mean loss."""
    pictures, digits = train
    network.train()
    total = 0.0
    for rows in torch.randperm(len(digits)).split(batch_size):
        optimizer.zero_grad()
        loss = cross_entropy(network(pictures[rows]), digits[rows])
        loss.backward()
        optimizer.step()
        total += float(loss.detach()) * len(rows)
    return total / len(digits)


def judge(network: Network, split: Split) -> tuple[float, float]:
    """Return the mean loss and the share of pictures whose digit is told."""
    pictures, digits = split
    network.eval()
    with torch.no_grad():
        numbers = torch.cat([network(part) for part in pictures.split(1000)])
    loss = cross_entropy(numbers, digits)
    return float(loss), float((numbers.argmax(dim=1) == digits).float().mean())


def save(network: Network, folder: Path) -> None:
    """Write the weights and the code that serves them: all of it becomes ``model.tar.gz``."""
    torch.save(network.state_dict(), str(folder / "model.pt"))
    code = folder / "code"
    code.mkdir(exist_ok=True)
    for name in SERVING:
        shutil.copyfile(str(Path(__file__).parent / name), str(code / name))


if __name__ == "__main__":
    main()
