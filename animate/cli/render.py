"""The part of the command line that makes a portrait speak: `render` and `demo`."""

from __future__ import annotations

import argparse
import sys

from animate.cli.output import add_output_options, check_outputs, config_of, deliver
from animate.cli.people import add_voices, is_together, render_together
from animate.cli.portrait import add_portrait_options, portrait_of
from animate.cli.provenance import add_consent
from animate.cli.track import add_driving
from animate.config import VOICE_SETTINGS
from animate.errors import ConfigError

# Flags that say how to generate a motion
_GENERATOR_ONLY = ("seed", *VOICE_SETTINGS, "expressiveness", "head_motion", "blink_rate", "checkpoint")


def add_render(commands: argparse._SubParsersAction) -> None:
    """Add `render` and `demo`."""
    render = commands.add_parser("render", help="a portrait and a voice become a video")
    render.add_argument("portrait", help="picture of a person, or of several")
    render.add_argument("voice", nargs="?", help="audio or video file with the voice; may be left out with --motion")
    render.add_argument(
        "--motion", help="perform this motion (.npz, .json, .csv, .glb, .gltf) instead of generating one"
    )
    add_driving(render)
    render.add_argument("--save-motion", metavar="FILE", help="also keep the motion, in any of these formats")
    render.add_argument(
        "--direction", metavar="YAML", help="what happens when: keyed tracks of emotion, gaze, head ..."
    )
    render.add_argument(
        "--transcript",
        metavar="TXT",
        help="what is said, for --captions and for keys on words in --direction (English)",
    )
    render.add_argument("--captions", metavar="FILE", help="also write the transcript as captions, .srt or .vtt")
    add_voices(render)
    add_portrait_options(render, restore="off", several=True)
    add_consent(render)
    add_output_options(render)
    render.set_defaults(run=_render)

    demo = commands.add_parser("demo", help="make the shipped example speak")
    add_output_options(demo)
    demo.set_defaults(run=_demo, save_motion=None)


def _render(options) -> int:
    if options.voice is None and options.motion is None and not options.voices:
        raise ConfigError("There is nothing to perform. Give a voice, or a motion with --motion.")
    if options.motion is None and (options.motion_mode or options.motion_parts):
        raise ConfigError("--motion-mode and --motion-parts say how to follow a motion. Give one with --motion.")
    voice_does_the_rest = bool(options.voice and options.motion_parts)  # of the face, beside the parts that follow
    generates = options.motion is None or voice_does_the_rest
    idle = [name for name in _GENERATOR_ONLY if getattr(options, name) is not None]
    if idle and not generates:
        flags = ", ".join("--" + name.replace("_", "-") for name in idle)
        raise ConfigError(f"{flags}: a motion that is given is not generated, so this has no effect. Leave it out.")
    if options.transcript and not (options.direction or options.captions):
        raise ConfigError(
            "--transcript is for --captions and for words in --direction. Give one of them, or leave it out."
        )
    config = config_of(options)
    if is_together(options):
        return render_together(options, config)

    from animate.captions import captions, check_captions, write_captions
    from animate.driving import drive
    from animate.interchange import load_motion
    from animate.motion.direction import Direction, direct
    from animate.pipeline import Animator, perform, read_scene, read_voice
    from animate.speech import read_transcript

    check_outputs(options, config)
    motion = load_motion(options.motion) if options.motion else None
    following = {
        "mode": options.motion_mode or "absolute",
        "parts": options.motion_parts and options.motion_parts.split(","),
    }
    driven = motion and drive(motion, **following)
    speech = read_voice(options.voice) if options.voice else None
    transcript = options.transcript and read_transcript(options.transcript)
    if options.captions:
        check_captions(options.captions, speech, transcript)
    direction = read_scene(options.direction, speech, transcript if options.direction else None)
    portrait = portrait_of(options)
    given = {
        "direction": direction,
        "config": config,
        "consent": options.consent,
        "allow_marked": options.allow_marked,
    }
    if generates:
        animator = Animator.from_pretrained(options.checkpoint, device=options.device)
        clip = animator(portrait, speech, progress=sys.stderr.isatty(), **given)
        if motion is not None:
            clip = clip.with_motion(drive(motion, **following, otherwise=clip.motion))
    else:
        clip = perform(portrait, direct(driven, direction or Direction()), speech, **given)
    deliver(clip, options)
    if options.captions:
        print(write_captions(captions(speech, transcript), options.captions))
    return 0


def _demo(options) -> int:
    config = config_of(options)
    from animate.example import example_portrait, example_voice
    from animate.pipeline import Animator

    check_outputs(options, config)
    animator = Animator.from_pretrained(options.checkpoint, device=options.device)
    given = {"consent": "public-domain", "config": config, "progress": sys.stderr.isatty()}
    deliver(animator(example_portrait(), example_voice(), **given), options)
    return 0
