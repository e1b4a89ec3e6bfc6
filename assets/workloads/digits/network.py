"""The network: two layers of convolution, each followed by taking the maximum of four neighbours, and one dense layer.

Runs on Python 3.8 and newer with PyTorch 2.
"""

from __future__ import annotations

import torch
from torch import nn

SIDE = 28
"""Pixels along each side of a picture."""
PIXELS = SIDE * SIDE
CLASSES = 10


class Network(nn.Module):
    """Turns pictures, (rows, 784) from 0 (paper) to 1 (ink), into ten numbers each, the largest for the likeliest.

    About 9,000 weights: small enough for a processor, and for a sample of a thousand pictures.
    """

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Unflatten(1, (1, SIDE, SIDE)),
            nn.Conv2d(1, 8, kernel_size=3, padding=1),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Conv2d(8, 16, kernel_size=3, padding=1),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Flatten(),
            nn.Linear(16 * 7 * 7, CLASSES),
        )

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        """Return the ten numbers of each picture, which ``softmax`` turns into chances."""
        numbers: torch.Tensor = self.layers(pictures)
        return numbers
