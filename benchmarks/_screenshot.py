"""``make screenshot``: the picture of README, taken from the page of the vision study."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

from PIL import Image

from studylib import browser
from studylib.errors import StudyError

PAGE = Path("reports/vision/default.html")
PICTURE = Path("reports/published/vision.png")
WIDTH, HEIGHT = 1120, 1180  # CSS pixels: question, headline, the figure of differences
LIMIT = 200_000  # bytes
COLOURS = (64, 32)  # of the palette: the most that fit


def main() -> None:
    """Take the picture, in as many colours as 200 kB allow."""
    with TemporaryDirectory() as folder:
        shot = Path(folder, "shot.png")
        browser.photograph(PAGE, shot, WIDTH, HEIGHT)
        with Image.open(shot) as image:
            whole = image.convert("RGB")
    for colours in COLOURS:
        whole.quantize(colours, dither=Image.Dither.NONE).save(PICTURE, optimize=True)
        if PICTURE.stat().st_size <= LIMIT:
            print(f"{PICTURE}: {WIDTH} × {HEIGHT}, {colours} colours, {PICTURE.stat().st_size} bytes")
            return
    raise StudyError(f"{PICTURE}: expected at most {LIMIT} bytes. Take a smaller window.")


if __name__ == "__main__":
    main()
