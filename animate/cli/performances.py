"""The part of the command line that needs no voice: `revive` and `performances`."""

from __future__ import annotations

import argparse

from animate.cli.output import add_output_options, check_outputs, config_of, deliver
from animate.cli.portrait import add_portrait_options, portrait_of
from animate.cli.provenance import add_consent


def add_performances(commands: argparse._SubParsersAction) -> None:
    """Add `performances` and `revive`."""
    performances = commands.add_parser("performances", help="list what `revive` can perform, or show it on a portrait")
    performances.add_argument("portrait", nargs="?", help="picture of a person, for a contact sheet")
    performances.add_argument("-o", "--output", metavar="PNG", help="the contact sheet to write")
    performances.add_argument("--seed", type=int, help="of the performances on the sheet (default 0)")
    add_portrait_options(performances, restore="auto")
    add_consent(performances)
    performances.set_defaults(run=_performances)

    revive = commands.add_parser("revive", help="a portrait comes alive without a voice")
    revive.add_argument("portrait", help="picture of a person")
    revive.add_argument(
        "--performance", default="gentle", metavar="NAME", help="see `animate-portrait performances` (default gentle)"
    )
    revive.add_argument("--seconds", type=float, default=8.0, help="2 to 600 (default 8)")
    revive.add_argument("--loop", action="store_true", help="the last frame passes into the first")
    revive.add_argument("--save-motion", metavar="FILE", help="also keep the motion: .npz, .json, .csv, .glb, .gltf")
    add_portrait_options(revive, restore="auto")
    add_consent(revive)
    add_output_options(revive, voice=False)
    revive.set_defaults(run=_revive)


def _revive(options) -> int:
    config = config_of(options)
    from animate.reviving import revive

    check_outputs(options, config)
    clip = revive(
        portrait_of(options),
        options.performance,
        duration_s=options.seconds,
        loop=options.loop,
        consent=options.consent,
        allow_marked=options.allow_marked,
        config=config,
    )
    deliver(clip, options)
    return 0


def _performances(options) -> int:
    from animate.config import RenderConfig, load_config
    from animate.errors import ConfigError
    from animate.motion.scripts import PERFORMANCES

    if (options.portrait is None) != (options.output is None):
        raise ConfigError("A contact sheet needs a portrait and -o SHEET.png. Give both, or neither for the list.")
    if options.portrait is None:
        for name, performance in PERFORMANCES.items():
            print(f"{name:12} {performance.what}")
        return 0
    from animate.media import check_png, write_video
    from animate.reviving import contact_sheet

    check_png(options.output)
    sheet = contact_sheet(
        portrait_of(options),
        consent=options.consent,
        allow_marked=options.allow_marked,
        config=load_config(RenderConfig, overrides={"seed": options.seed}),
    )
    print(write_video(options.output, sheet))
    return 0
