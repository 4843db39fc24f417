"""The part of the command line that cleans old photographs: `restore`, and a flag for what is animated."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from animate.types import Portrait

_STEPS_HELP = (
    "auto (straighten, contrast, repair, denoise, enlarge), off, or a comma list of these and tint; enlarge:400 wants "
    "the face 400 px wide instead of 80. Each step acts only on evidence"
)


def add_restore(commands: argparse._SubParsersAction) -> None:
    """Add `restore`."""
    restore = commands.add_parser("restore", help="clean an old photograph, where it needs that, and say what was done")
    restore.add_argument("picture", metavar="PHOTO", help="any picture file")
    restore.add_argument("-o", "--output", required=True, help="the .png to write, marked and signed as edited")
    restore.add_argument("--steps", default="auto", help=f"{_STEPS_HELP} (default auto)")
    restore.add_argument(
        "--tint", choices=("keep", "remove"), default="keep", help="make sepia neutral grey (default keep)"
    )
    restore.add_argument("--before-after", metavar="PNG", help="also write both side by side")
    restore.add_argument("--detector", default="mediapipe", help="mediapipe (default) or face-alignment")
    restore.add_argument("--allow-marked", action="store_true", help="accept a picture that came out of this engine")
    restore.add_argument("--json", action="store_true", help="the report as JSON on stdout")
    restore.set_defaults(run=_restore)


def add_restore_option(parser: argparse.ArgumentParser, default: str) -> None:
    """Add the flag of commands that animate a picture."""
    parser.add_argument("--restore", metavar="STEPS", default=default, help=f"{_STEPS_HELP} (default {default})")


def read_restored(options) -> Portrait:
    """Read the portrait of a command with `--face`, `--detector` and `--restore`, and say what was done to it."""
    from animate.pipeline import read_portrait
    from animate.restoration import in_words

    portrait = read_portrait(options.portrait, face=options.face, detector=options.detector, restore=options.restore)
    if portrait.restoration:
        print(in_words(portrait.restoration), file=sys.stderr)
    return portrait


def _restore(options) -> int:
    from animate.restoration import check_still_target, in_words, restore

    for target in filter(None, (options.output, options.before_after)):
        check_still_target(target)
    steps = options.steps if options.tint == "keep" else [*options.steps.split(","), "tint"]
    restored = restore(options.picture, steps, detector=options.detector, allow_marked=options.allow_marked)
    if options.before_after:
        restored.save_before_after(options.before_after)
    written = restored.save(options.output)
    if options.json:
        print(json.dumps({"output": str(written), "steps": [asdict(step) for step in restored.report]}))
        return 0
    print(in_words(restored.report), file=sys.stderr)
    print(written)
    return 0
