"""The command line, `animate-portrait`: data on stdout, talk on stderr, exit status 2 on any error.

Stages are imported inside the commands, so that `--help` answers at once.
"""

from __future__ import annotations

import argparse
import json
import logging
import sys
from dataclasses import asdict, fields
from pathlib import Path

from animate import __version__
from animate.cli_people import add_choice, add_faces, converse, is_together, render_together
from animate.cli_performances import add_performances
from animate.cli_provenance import add_benchmarks, add_commands, add_consent
from animate.cli_track import add_driving, add_track
from animate.config import VOICE_SETTINGS, RenderConfig, load_config
from animate.errors import AnimateError, ConfigError
from animate.resources import shipped

ERROR, INTERRUPTED = 2, 130

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
    "label_font": "font file for these words (default DejaVu Sans, which has no hi, ja, ko, zh)",
}

# Flags that say how to generate a motion
_GENERATOR_ONLY = ("seed", *VOICE_SETTINGS, "expressiveness", "head_motion", "blink_rate", "checkpoint")


def main(arguments: list[str] | None = None) -> int:
    """Run one command and return its exit status."""
    arguments = sys.argv[1:] if arguments is None else arguments
    if arguments[:1] == ["score"]:  # has options of its own, which only the training room knows
        from animate.train.score import main as score

        return score(arguments[1:])
    options = _parser().parse_args(arguments)
    logging.basicConfig(format="%(message)s", level=logging.INFO if options.verbose else logging.WARNING)
    try:
        return options.run(options)
    except AnimateError as error:
        print(f"animate-portrait: {error}", file=sys.stderr)
        return ERROR
    except KeyboardInterrupt:
        print("animate-portrait: stopped; nothing half-written is left.", file=sys.stderr)
        return INTERRUPTED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("animate-portrait", description="Make a still portrait speak.")
    parser.add_argument("--version", action="version", version=__version__)
    parser.add_argument("--verbose", action="store_true", help="say more on stderr")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

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
    render.add_argument("--detector", default="mediapipe", help="mediapipe (default) or face-alignment")
    add_choice(render)
    add_consent(render)
    _add_output_options(render)
    render.set_defaults(run=_render, performance=None)

    revive = add_performances(commands)
    _add_output_options(revive, voice=False)
    revive.set_defaults(
        run=_revive, motion=None, motion_mode=None, motion_parts=None, direction=None, transcript=None, captions=None
    )

    add_faces(commands)

    talk = commands.add_parser("converse", help="several portraits speak in turn and listen to each other")
    talk.add_argument("scene", metavar="SCENE", help=".yaml: people, turns, recording, layout (see the README)")
    talk.add_argument("--allow-marked", action="store_true", help="accept portraits that came out of this engine")
    _add_output_options(talk)
    talk.set_defaults(run=_converse)

    evaluate = commands.add_parser(
        "evaluate", help="measure the renderer on a portrait; exit status 1 if a bar is missed"
    )
    evaluate.add_argument("portrait", help="picture of one face")
    performance = evaluate.add_mutually_exclusive_group()
    performance.add_argument("--motion", help="file of a motion")
    performance.add_argument("--voice", help="voice to generate a motion from (default: the example)")
    evaluate.add_argument("--random", type=int, default=1000, help="random rows to look for folds in (default 1000)")
    evaluate.add_argument("--identity-model", help="SFace .onnx file; without it identity is not measured")
    evaluate.add_argument("--json", action="store_true")
    evaluate.set_defaults(run=_evaluate)

    demo = commands.add_parser("demo", help="make the shipped example speak")
    _add_output_options(demo)
    demo.set_defaults(
        run=_demo, performance=None, motion=None, motion_mode=None, motion_parts=None, save_motion=None,
        direction=None, transcript=None, captions=None, allow_marked=False, face=None,
    )  # fmt: skip

    add_commands(commands)
    add_track(commands)

    doctor = commands.add_parser("doctor", help="versions, backends, what is missing and how to get it")
    doctor.add_argument("--json", action="store_true")
    doctor.set_defaults(run=_doctor)

    bench = commands.add_parser("bench", help="time the whole job and each stage on this machine")
    bench.add_argument("--size", type=int, nargs="+", default=[512, 1080], help="side of the square picture, in pixels")
    bench.add_argument("--seconds", type=float, default=10.0, help="length of the voice")
    bench.add_argument("--fps", default="25")
    bench.add_argument("--portrait", help="picture to use instead of the example")
    bench.add_argument("--voice", help="voice to use instead of the example")
    bench.add_argument("--json", action="store_true")
    bench.set_defaults(run=_bench)
    add_benchmarks(bench.add_subparsers(metavar="watermark|unmarked"))

    batch = commands.add_parser("batch", help="render a list of shots; run again, it does what is missing or changed")
    batch.add_argument(
        "shots", help=".csv, .jsonl or .yaml: id, portrait, voice, direction, consent, outputs, and any setting"
    )
    batch.add_argument("-o", "--output", required=True, help="the folder to write to")
    batch.add_argument("--workers", type=int, default=1, help="processes, each with its own model (default 1)")
    batch.add_argument(
        "--cluster", metavar="ADDRESS", help="render on a Ray cluster: ray://HOST:10001, auto or local (extra [ray])"
    )
    batch.add_argument(
        "--publish", metavar="URL", help="also copy what is done to this storage: s3://..., a folder ..."
    )
    batch.add_argument("--checkpoint", help="folder of another motion model")
    batch.add_argument("--device", default="cpu", help="where the motion model runs: cpu (default), cuda")
    batch.set_defaults(run=_batch)

    plot = commands.add_parser("plot", help="draw the curves of a motion, under its voice")
    plot.add_argument("motion", help="file of a motion")
    plot.add_argument("--voice", help="audio or video file that it was made for")
    plot.add_argument("-o", "--output", required=True, help="the .png, .pdf or .svg to write")
    plot.set_defaults(run=_plot)

    commands.add_parser("score", help="measure a motion model on speech it never saw")  # see `main`
    return parser


def _add_output_options(parser: argparse.ArgumentParser, voice: bool = True) -> None:
    parser.add_argument(
        "-o",
        "--output",
        required=True,
        action="append",
        help="what to write: .mp4, .webm, .mov, .gif, .webp, a still .png or .jpg, or FOLDER/%%04d.png for every frame; "
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


def _render(options) -> int:
    if options.voice is None and options.motion is None and not options.voices:
        raise ConfigError("There is nothing to perform. Give a voice, or a motion with --motion.")
    if options.motion is None and (options.motion_mode or options.motion_parts):
        raise ConfigError("--motion-mode and --motion-parts say how to follow a motion. Give one with --motion.")
    idle = [name for name in _GENERATOR_ONLY if getattr(options, name) is not None]
    if options.motion is not None and idle and not _generates_the_rest(options):
        flags = ", ".join("--" + name.replace("_", "-") for name in idle)
        raise ConfigError(f"{flags}: a motion that is given is not generated, so this has no effect. Leave it out.")
    if is_together(options):
        return render_together(options, _config(options))
    return _make_video(options, options.portrait, options.voice, options.consent, options.detector)


def _generates_the_rest(options) -> bool:
    """Whether the voice moves those parts of the face that do not follow the given motion."""
    return bool(options.voice and options.motion_parts)


def _revive(options) -> int:
    return _make_video(options, options.portrait, None, options.consent, options.detector)


def _converse(options) -> int:
    if options.report:
        raise ConfigError("--report is for one face: render it alone.")
    return converse(options, _config(options))


def _demo(options) -> int:
    from animate.example import example_portrait, example_voice

    return _make_video(options, example_portrait(), example_voice(), "public-domain")


def _make_video(options, portrait, voice, consent: str | None, detector: str = "mediapipe") -> int:
    config = _config(options)
    from animate.captions import captions, check_captions, write_captions
    from animate.driving import drive
    from animate.interchange import check_motion_target, load_motion, save_motion
    from animate.media import Encoding, check_targets
    from animate.motion.direction import Direction, direct
    from animate.pipeline import Animator, perform, read_portrait, read_scene, read_voice
    from animate.reviving import revive
    from animate.speech import read_transcript
    from animate.types import Portrait

    check_targets(options.output, Encoding.of(config), config.alpha)
    if options.save_motion:
        check_motion_target(options.save_motion)
    motion = load_motion(options.motion) if options.motion else None
    following = {
        "mode": options.motion_mode or "absolute",
        "parts": options.motion_parts and options.motion_parts.split(","),
    }
    driven = motion and drive(motion, **following)
    speech = read_voice(voice) if voice else None
    transcript = options.transcript and read_transcript(options.transcript)
    if options.captions:
        check_captions(options.captions, speech, transcript)
    direction = read_scene(options.direction, speech, transcript if options.direction or not options.captions else None)
    progress = sys.stderr.isatty()
    if not isinstance(portrait, Portrait):
        portrait = read_portrait(portrait, face=options.face, detector=detector)
    given = {"config": config, "consent": consent, "allow_marked": options.allow_marked}
    if options.performance is not None:
        clip = revive(portrait, options.performance, duration_s=options.seconds, loop=options.loop, **given)
    elif motion is not None and not _generates_the_rest(options):
        clip = perform(portrait, direct(driven, direction or Direction()), speech, direction=direction, **given)
    else:
        animator = Animator.from_pretrained(options.checkpoint, device=options.device)
        clip = animator(portrait, speech, direction=direction, progress=progress, **given)
        if motion is not None:
            clip = clip.with_motion(drive(motion, **following, otherwise=clip.motion))
    if options.save_motion:
        save_motion(clip.motion, options.save_motion)
    clip.save(*options.output, progress=progress)
    print(*options.output, sep="\n")
    if options.captions:
        print(write_captions(captions(speech, transcript), options.captions))
    if options.report:
        from animate.evaluate import report, table

        print(table(report(clip.portrait, clip.motion)), file=sys.stderr)
    return 0


def _batch(options) -> int:
    from animate.batch.report import table, write_page
    from animate.batch.run import FAILED, run_batch

    outcomes = run_batch(
        options.shots,
        options.output,
        workers=options.workers,
        checkpoint=options.checkpoint,
        device=options.device,
        cluster=options.cluster,
        publish=options.publish,
        progress=sys.stderr.isatty(),
    )
    write_page(outcomes, Path(options.output))
    print(table(outcomes))
    return int(any(outcome.state == FAILED for outcome in outcomes))


def _plot(options) -> int:
    from animate.interchange import load_motion
    from animate.pipeline import read_voice
    from animate.plot import plot_motion

    print(plot_motion(load_motion(options.motion), options.output, options.voice and read_voice(options.voice)))
    return 0


def _config(options) -> RenderConfig:
    return load_config(RenderConfig, _preset(options.config), _overrides(options))


def _preset(config: str | None) -> Path | None:
    if config is None or Path(config).suffix:
        return config and Path(config)
    return shipped("configs/render") / f"{config}.yaml"


def _overrides(options) -> dict:
    return {field.name: getattr(options, field.name, None) for field in fields(RenderConfig)}


def _evaluate(options) -> int:
    from animate.evaluate import evaluate, table
    from animate.example import example_voice
    from animate.interchange import load_motion
    from animate.pipeline import generate_motion, read_portrait, read_voice

    portrait = read_portrait(options.portrait)
    motion = (
        load_motion(options.motion)
        if options.motion
        else generate_motion(read_voice(options.voice or example_voice()), progress=sys.stderr.isatty())
    )
    figures = evaluate(
        portrait,
        motion,
        num_random=options.random,
        identity_model=options.identity_model,
        progress=sys.stderr.isatty(),
    )
    print(json.dumps([asdict(figure) for figure in figures]) if options.json else table(figures))
    return 0 if all(figure.good for figure in figures) else 1


def _doctor(options) -> int:
    from animate.doctor import examine, report

    findings = examine()
    print(json.dumps(findings, indent=2) if options.json else report(findings))
    return 0 if all(finding["fine"] or finding["optional"] for finding in findings) else 1


def _bench(options) -> int:
    from animate.bench import benchmark, table

    rows = benchmark(options.size, options.seconds, fps=options.fps, portrait=options.portrait, voice=options.voice)
    print(json.dumps(rows, indent=2) if options.json else table(rows))
    return 0


if __name__ == "__main__":
    sys.exit(main())
