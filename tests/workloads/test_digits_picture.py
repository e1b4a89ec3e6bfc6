"""A stranger's picture becomes 28 x 28 pixels, or is refused before it can do harm."""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image, ImageDraw

from .conftest import load_program

picture = load_program("digits/picture.py")


def encoded(image: Image.Image, kind: str = "PNG") -> bytes:
    file = io.BytesIO()
    image.save(file, kind)
    return file.getvalue()


def digit(size: tuple[int, int] = (280, 280), ink: str = "black", paper: str = "white") -> Image.Image:
    """A thick stroke from top to bottom in the middle, like a one."""
    image = Image.new("RGB", size, paper)
    middle = size[0] // 2
    ImageDraw.Draw(image).rectangle((middle - 30, 20, middle + 30, size[1] - 20), fill=ink)
    return image


@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
@pytest.mark.parametrize(("ink", "paper"), [("black", "white"), ("white", "black"), ("darkblue", "lightyellow")])
def test_ink_is_dark_on_light_paper_and_light_on_dark(kind: str, ink: str, paper: str) -> None:
    pixels = picture.pixels_of(encoded(digit(ink=ink, paper=paper), kind)).reshape(28, 28)
    assert pixels.dtype == np.float32
    assert 0 <= pixels.min() <= pixels.max() <= 1
    assert pixels[14, 14] > 0.8
    assert pixels[14, 2] < 0.2
    assert pixels[0, 14] < 0.2


def test_what_is_transparent_is_paper_and_what_is_not_square_gets_margins() -> None:
    image = Image.new("RGBA", (100, 280), (0, 0, 0, 0))
    ImageDraw.Draw(image).rectangle((20, 20, 80, 260), fill=(0, 0, 0, 255))
    pixels = picture.pixels_of(encoded(image)).reshape(28, 28)
    assert pixels[14, 14] > 0.8
    assert pixels[:, :9].max() < 0.2
    assert pixels[:, 19:].max() < 0.2


def test_a_picture_of_28_pixels_stays_as_it_is() -> None:
    given = np.random.RandomState(1).randint(0, 200, (28, 28)).astype(np.uint8)
    given[[0, -1], :] = given[:, [0, -1]] = 0
    pixels = picture.pixels_of(encoded(Image.fromarray(given)))
    assert pixels.reshape(28, 28) == pytest.approx(given / 255, abs=1 / 250)


def bomb(width: int, height: int) -> bytes:
    """A PNG of a few hundred bytes whose header promises more pixels than it may have."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        body = kind + content
        return struct.pack(">I", len(content)) + body + struct.pack(">I", zlib.crc32(body))

    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    data = zlib.compress(b"\0" * 100_000, 9)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


@pytest.mark.parametrize(("width", "height"), [(2001, 2000), (50_000, 50_000), (4_000_001, 1), (2**31 - 1, 2**31 - 1)])
def test_a_picture_with_too_many_pixels_is_not_unpacked(
    monkeypatch: pytest.MonkeyPatch, width: int, height: int
) -> None:
    def unpacked(*_: object) -> None:
        raise AssertionError("the picture was unpacked")

    monkeypatch.setattr(Image.Image, "convert", unpacked)
    monkeypatch.setattr("PIL.ImageFile.ImageFile.load", unpacked)
    content = bomb(width, height)
    assert len(content) < 1000
    with pytest.raises(picture.PictureError, match=r"pixels; at most 4,000,000|not a whole picture"):
        picture.pixels_of(content)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"<html>",
        encoded(digit())[:200],
        encoded(digit(), "JPEG")[:200],
        encoded(digit(), "GIF"),
        encoded(digit(), "BMP"),
        encoded(digit(), "TIFF"),
        b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n",
    ],
    ids=["nothing", "html", "half a png", "half a jpeg", "gif", "bmp", "tiff", "eps"],
)
def test_anything_but_a_whole_png_or_jpeg_is_refused(content: bytes) -> None:
    with pytest.raises(picture.PictureError, match="not a whole picture in the form of PNG or JPEG"):
        picture.pixels_of(content)
