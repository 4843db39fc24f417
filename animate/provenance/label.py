"""The visible label: words in a corner that say the picture is synthetic, in the viewer's language."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont, features

from animate.errors import ProvenanceError

LABELS = {
    "en": "AI-generated",
    "ar": "مُنشأ بالذكاء الاصطناعي",
    "cs": "Vytvořeno AI",
    "de": "KI-generiert",
    "el": "Δημιουργήθηκε με ΤΝ",
    "es": "Generado por IA",
    "fr": "Généré par IA",
    "hi": "एआई-जनित",
    "it": "Generato dall'IA",
    "ja": "AI生成",
    "ko": "AI 생성",
    "nl": "AI-gegenereerd",
    "pl": "Wygenerowane przez AI",
    "pt": "Gerado por IA",
    "ru": "Создано ИИ",
    "sv": "AI-genererad",
    "tr": "Yapay zekâ ile üretildi",
    "uk": "Створено ШІ",
    "zh": "AI生成",
}
_SHAPED = ("ar", "hi")  # scripts whose letters change with their neighbours
_HEIGHT_SHARE = 0.05  # of the short side; several laws ask for 'clearly visible'
_MIN_HEIGHT_PX = 20
# Of the picture that is left under the words: white words on white have a contrast of 9 then, where WCAG 2.1 (success
# criterion 1.4.3) asks for 4.5.
_SHADE = 0.3


def label(language: str = "en", font: str = "", text: str = "") -> Label:
    """Return the label in a language, to be drawn by `labelled`.

    Parameters
    ----------
    language : str
        A key of `LABELS`.
    text : str
        Other words than those of `LABELS`, in this language.
    font : str
        Font file; DejaVu Sans, which comes with matplotlib, by default. It has Latin, Greek, Cyrillic and Arabic.

    Raises
    ------
    ProvenanceError
        If there is no such language, or the font cannot be read or lacks its letters.
    """
    if language not in LABELS:
        raise ProvenanceError(f"There is no label in {language!r}. The languages are {', '.join(LABELS)}.")
    made = Label(text or LABELS[language], str(font or _dejavu()))
    if language in _SHAPED and not features.check("raqm"):
        raise ProvenanceError(f"Pillow cannot shape the letters of {language!r} here: it was built without Raqm.")
    if lacking := made.lacking():
        raise ProvenanceError(
            f"The font {Path(made.font).name} has no {lacking!r}, so a label in {language!r} cannot be drawn. "
            "Name a font file that has it with label_font."
        )
    return made


def labelled(frames: Iterable[np.ndarray], words: Label, person: np.ndarray) -> Iterator[np.ndarray]:
    """Yield frames with the label in the corner that hides least of the person, for their whole duration.

    Parameters
    ----------
    frames : iterable of uint8 [H, W, 3] or [H, W, 4]
        A transparent frame is opaque under the label.
    words : Label
        From `label`.
    person : float32 [H, W]
        1 where the person is in the frames.
    """
    drawn = words.drawn(*person.shape)
    height, width = drawn.shape[:2]
    corners = [
        (rows, columns) for rows in (np.s_[-height:], np.s_[:height]) for columns in (np.s_[:width], np.s_[-width:])
    ]
    rows, columns = min(corners, key=lambda corner: round(float(person[corner].mean()), 2))
    for frame in frames:
        frame = frame.copy()
        corner = frame[rows, columns]
        corner[..., :3] = np.maximum((corner[..., :3] * _SHADE).astype(np.uint8), drawn)
        corner[..., 3:] = 255
        yield frame


class Label:
    """Words in a font."""

    def __init__(self, text: str, font: str):
        self.text, self.font = text, font
        self._sized(_MIN_HEIGHT_PX)

    def _sized(self, pixels: int) -> ImageFont.FreeTypeFont:
        try:
            return ImageFont.truetype(self.font, pixels)
        except OSError as error:
            raise ProvenanceError(f"The font {self.font} cannot be read: {error}. Name a .ttf or .otf file.") from None

    def lacking(self) -> str:
        """Return the letters that the font does not have: it draws them as it draws what no font has."""
        font = self._sized(32)
        nothing = bytes(font.getmask("\U0010ffff"))
        return "".join(
            sorted({letter for letter in self.text if letter != " " and bytes(font.getmask(letter)) == nothing})
        )

    def drawn(self, height: int, width: int) -> np.ndarray:
        """Return the words, white on black, uint8 [h, w, 1], in a box that fits into a picture of this size."""
        box = max(_MIN_HEIGHT_PX, round(_HEIGHT_SHARE * min(height, width)))
        font = self._sized(round(0.6 * box))
        length = round(font.getlength(self.text))
        if length + box > width:
            font = self._sized(max(6, int(0.6 * box * (width - 4) / (length + box))))
            length = round(font.getlength(self.text))
        words = Image.new("L", (min(width, length + box), box))
        ImageDraw.Draw(words).text((words.width / 2, box / 2), self.text, fill=255, font=font, anchor="mm")
        return np.asarray(words)[..., None]


def _dejavu() -> Path:
    return Path(find_spec("matplotlib").origin).parent / "mpl-data" / "fonts" / "ttf" / "DejaVuSans.ttf"
