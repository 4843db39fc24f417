"""What the commands that write a clip share: where it goes, how it looks, and what is said of it."""

from __future__ import annotations

import argparse
import sys
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING

from animate.config import VOICE_SETTINGS, RenderConfig, load_config
from animate.errors import ConfigError, MediaError
from animate.resources import shipped

if TYPE_CHECKING:
    from animate.people import Group
    from animate.pipeline import Clip

_RENDER_HELP = {
    "seed": "the same seed gives the same performance",
    "fps": "output frame rate: 23.976, 24, 25, 29.97, 30, 50, 60 ...",
    "num_inference_steps": "Euler steps of the motion model",
    "guidance_scale": "weight of the voice; above 1 exaggerates",
    "emotion_guidance_scale": "weight of the emotion; above 1 exaggerates",
    "style_guidance_scale": "weight of the expressiveness; above 1 exaggerates",
    "emotion": "neutral, happy, sad, angry, surprised, fearful, disgusted or contemptuous, with intensity and mixed as "
    "in happy:0.6,surprised:0.3; auto: none, but as lively as the voice is aroused",
    "expressiveness": "how far mouth, brows and head move, 0 to 2",
    "head_motion": "0 (a still head; blinks go on) to 2",
    "blink_rate": "0 (never) to 3",
    "gaze_x_deg": "where the eyes rest, degrees to the right of the picture",
    "gaze_y_deg": "and degrees up",
    "size": "longest side in pixels, or exactly 1280x720; as large as in the picture if left out",
    "crop": "how much is shown: full, head, bust, square or an aspect such as 9:16; never through the moving head",
    "alpha": "transparent where the background was (.webm, .mov, .webp, .png)",
    "codec": "of mp4: h264, hevc or av1",
    "crf": "quality on x264's scale, 0 (lossless) to 51 (worst), whatever the codec",
    "encoder_preset": "x264 preset, ultrafast to veryslow; other codecs get the nearest",
    "max_mb": "what a GIF may weigh; frames, colours and size are given up for it; 0: no limit",
    "still_at_s": "the moment that a .png or .jpg shows, in seconds",
    "mark_strength": "of the invisible mark: balanced, strong or discreet",
    "label": "visible words 'AI-generated': auto (if consent is undeclared) or always",
    "label_language": "of these words: en, de, fr, es, it, pt, nl, pl, ru, ar ...",
    "label_text": "shows other words instead, such as 'animated portrait'; only with a declared consent",
    "aigc_producer": "who answers for the content: writes the AIGC tag that China's rules ask for (.mp4, .mov, .webm)",
    "label_font": "font file for these words (default DejaVu Sans, which has no hi, ja, ko, zh)",
}


def add_output_options(parser: argparse.ArgumentParser, voice: bool = True) -> None:
    """Add the outputs and every field of `RenderConfig`; without a voice, only those that mean something."""
    parser.add_argument(
        "-o",
        "--output",
        required=True,
        action="append",
        help="what to write: .mp4, .webm, .mov, .gif, .webp, a still .png or .jpg, or FOLDER/%%04d.png for each frame; "
        "may be given several times",
    )
    parser.add_argument("--config", help="YAML settings, or the name of a shipped preset: draft, film")
    if voice:
        parser.add_argument("--checkpoint", help="folder of another motion model")
        parser.add_argument("--device", default="cpu", help="where the motion model runs: cpu (default), cuda")
    parser.add_argument("--report", action="store_true", help="measure the result and print a table on stderr")
    for field in fields(RenderConfig):
        if field.name in VOICE_SETTINGS and not voice:
            continue
        flag, words = "--" + field.name.replace("_", "-"), _RENDER_HELP[field.name]
        if isinstance(field.default, bool):
            parser.add_argument(flag, action=argparse.BooleanOptionalAction, default=None, help=words)
            continue
        kind = type(field.default) if field.name != "fps" else str
        parser.add_argument(
            flag, type=kind, help=words + (f" (default {field.default})" if field.default != "" else "")
        )
    still = {"dest": "head_motion", "action": "store_const", "const": 0.0}
    parser.add_argument("--still", **still, help="short for --head-motion 0")
    if voice:
        parser.add_argument("--gaze", action=_Gaze, help="camera, left, right, up, down, or degrees as in 10,-5")


class _Gaze(argparse.Action):
    """Both gaze settings in one word."""

    def __call__(self, parser, options, text, flag=None):
        from animate.motion.direction import read_gaze

        try:
            options.gaze_x_deg, options.gaze_y_deg = read_gaze("gaze", text.split(",") if "," in text else text)
        except ConfigError as error:
            parser.error(str(error))


def config_of(options) -> RenderConfig:
    """Return the settings that the flags and ``--config`` stand for.

    Raises
    ------
    ConfigError
        If one is unknown or out of range.
    """
    given = {field.name: getattr(options, field.name, None) for field in fields(RenderConfig)}
    preset = options.config
    if preset is not None and not Path(preset).suffix:
        presets = {file.stem: file for file in sorted(shipped("configs/render").glob("*.yaml"))}
        if preset not in presets:
            raise ConfigError(f"There is no preset {preset!r}. Use {', '.join(presets)}, or a file NAME.yaml.")
        preset = presets[preset]
    return load_config(RenderConfig, preset and Path(preset), given)


_READ = (
    "portrait", "picture", "video", "scene", "shots", "voice", "voices", "motion", "direction", "transcript", "config",
    "label_font",
)  # fmt: skip
_WRITTEN = ("output", "save_motion", "captions", "before_after")


def check_names(options) -> None:
    """Raise if a command would write over a file that it reads, or two files under one name.

    Raises
    ------
    MediaError
    """
    read = {Path(file).resolve() for name in _READ for file in _files(options, name)}
    written = [Path(file).resolve() for name in _WRITTEN for file in _files(options, name)]
    for place, file in enumerate(written):
        if file in read:
            raise MediaError(f"{file.name} is read, and would be written over. Give the output another name.")
        if file in written[:place]:
            raise MediaError(f"{file.name} would be written twice. Give each output a name of its own.")


def _files(options, name: str) -> list[str]:
    given = getattr(options, name, None)
    given = given if isinstance(given, list) else [given]
    return [file[1] if isinstance(file, tuple) else file for file in given if file]


def check_outputs(options, config: RenderConfig) -> None:
    """Raise what would go wrong with the outputs, before anything is rendered.

    Raises
    ------
    ConfigError, MediaError
    """
    from animate.interchange import check_motion_target
    from animate.media import Encoding, check_targets

    check_targets(options.output, Encoding.of(config), config.alpha)
    if options.save_motion:
        check_motion_target(options.save_motion)


def deliver(clip: Clip, options) -> None:
    """Write what was asked for, its names to stdout, and the report to stderr."""
    from animate.interchange import save_motion

    if options.save_motion:
        save_motion(clip.motion, options.save_motion)
    write(clip, options)
    if options.report:
        from animate.evaluate import report, table

        print(table(report(clip.portrait, clip.motion)), file=sys.stderr)


def write(clip: Clip | Group, options) -> None:
    """Write the outputs, and their names to stdout."""
    clip.save(*options.output, progress=sys.stderr.isatty())
    print(*options.output, sep="\n")
