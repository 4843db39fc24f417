"""What the commands that read a portrait share: which face, how it is found, and whether it is cleaned first."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from animate.types import Portrait

ALL = "all"
STEPS_HELP = (
    "auto (straighten, repair, contrast, denoise, enlarge), off, or a comma list of these and tint; enlarge:400 wants "
    "the face 400 px wide instead of 80. Each step acts only on evidence"
)


def add_detector(parser: argparse.ArgumentParser) -> None:
    """Add the flag that says what finds faces."""
    parser.add_argument("--detector", default="mediapipe", help="mediapipe (default) or face-alignment")


def add_restore_option(parser: argparse.ArgumentParser, default: str) -> None:
    """Add the flag that says how a picture is cleaned before it is animated."""
    parser.add_argument("--restore", metavar="STEPS", default=default, help=f"{STEPS_HELP} (default {default})")


def add_portrait_options(parser: argparse.ArgumentParser, restore: str, several: bool = False) -> None:
    """Add the flags of how a portrait is read; `restore` is done by default, and `several` faces may be meant."""
    parser.add_argument(
        "--face",
        metavar=f"N|{ALL}" if several else "N",
        type=_face_or_all if several else face_number,
        help=f"who performs: a number that `faces` shows{', or all at once' * several} (default: the largest that can "
        "be animated)",
    )
    add_detector(parser)
    add_restore_option(parser, restore)


def face_number(value: str) -> int:
    """Return the number of a face, as `faces` counts them."""
    if value.isdigit() and int(value) > 0:
        return int(value)
    raise argparse.ArgumentTypeError(f"{value!r} is no face; use a number from 1, as `faces` shows")


def _face_or_all(value: str) -> int | str:
    return value if value == ALL else face_number(value)


def portrait_of(options) -> Portrait:
    """Read the portrait that the flags of `add_portrait_options` ask for, and say what restoration did."""
    from animate.pipeline import read_portrait

    portrait = read_portrait(options.portrait, face=options.face, detector=options.detector, restore=options.restore)
    say_restored(portrait, options)
    return portrait


def say_restored(portrait: Portrait, options) -> None:
    """Say what restoration did to a picture; with `--verbose` also what it left."""
    from animate.restoration import in_words

    if told := [step for step in portrait.restoration if step.done or options.verbose]:
        print(in_words(told), file=sys.stderr)
