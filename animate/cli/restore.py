"""The part of the command line that cleans old photographs: `restore`."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict

from animate.cli.portrait import STEPS_HELP, add_detector


def add_restore(commands: argparse._SubParsersAction) -> None:
    """Add `restore`."""
    restore = commands.add_parser("restore", help="clean an old photograph, where it needs that, and say what was done")
    restore.add_argument("picture", metavar="PHOTO", help="any picture file")
    restore.add_argument("-o", "--output", required=True, help="the .png to write, marked and signed as edited")
    restore.add_argument("--steps", default="auto", help=f"{STEPS_HELP} (default auto)")
    restore.add_argument("--before-after", metavar="PNG", help="also write both side by side")
    add_detector(restore)
    restore.add_argument("--allow-marked", action="store_true", help="accept a picture that came out of this engine")
    restore.add_argument("--json", action="store_true", help="the report as JSON on stdout")
    restore.set_defaults(run=_restore)


def _restore(options) -> int:
    from animate.media import check_png
    from animate.restoration import in_words, restore

    targets = [target for target in (options.output, options.before_after) if target]
    for target in targets:
        check_png(target)
    restored = restore(options.picture, options.steps, detector=options.detector, allow_marked=options.allow_marked)
    restored.save(options.output)
    if options.before_after:
        restored.save_before_after(options.before_after)
    if options.json:
        print(json.dumps({"output": options.output, "steps": [asdict(step) for step in restored.report]}))
        return 0
    print(in_words(restored.report), file=sys.stderr)
    print(*targets, sep="\n")
    return 0
