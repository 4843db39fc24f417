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
from animate.cli_provenance import add_benchmarks, add_commands, add_consent
from animate.cli_restore import add_restore, add_restore_option
from animate.config import RenderConfig, load_config
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
    "crf": "x264 quality, 0 (lossless) to 51 (worst)",
    "encoder_preset": "x264 preset, ultrafast to veryslow",
    "mark_strength": "of the invisible mark: balanced, strong or discreet",
    "label": "visible words 'AI-generated': auto (if consent is undeclared) or always",
}

# Flags that say how to generate a motion
_GENERATOR_ONLY = (
    "seed", "num_inference_steps", "guidance_scale", "emotion_guidance_scale", "style_guidance_scale", "emotion",
    "expressiveness", "head_motion", "blink_rate", "gaze_x_deg", "gaze_y_deg", "checkpoint",
)  # fmt: skip


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
    render.add_argument("portrait", help="picture of one face")
    render.add_argument("voice", nargs="?", help="audio or video file with the voice; may be left out with --motion")
    render.add_argument(
        "--motion", help="perform this motion (.npz, .json, .csv, .glb, .gltf) instead of generating one"
    )
    render.add_argument("--save-motion", metavar="FILE", help="also keep the motion, in any of these formats")
    render.add_argument(
        "--direction", metavar="YAML", help="what happens when: keyed tracks of emotion, gaze, head ..."
    )
    render.add_argument("--transcript", metavar="TXT", help="what is said, for keys on words in --direction (English)")
    render.add_argument("--detector", default="mediapipe", help="mediapipe (default) or face-alignment")
    add_restore_option(render, "off")
    add_consent(render)
    _add_output_options(render)
    render.set_defaults(run=_render)

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
    demo.set_defaults(run=_demo, motion=None, save_motion=None, direction=None, transcript=None, allow_marked=False)

    add_commands(commands)
    add_restore(commands)

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


def _add_output_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("-o", "--output", required=True, help="the .mp4 to write")
    parser.add_argument("--config", help="YAML settings, or the name of a shipped preset: draft, film")
    parser.add_argument("--checkpoint", help="folder of another motion model")
    parser.add_argument("--device", default="cpu", help="where the motion model runs: cpu (default), cuda")
    parser.add_argument("--report", action="store_true", help="measure the result and print a table on stderr")
    for field in fields(RenderConfig):
        kind = int if isinstance(field.default, int) and field.name != "fps" else str
        kind = float if isinstance(field.default, float) else kind
        flag = "--" + field.name.replace("_", "-")
        parser.add_argument(flag, type=kind, help=f"{_RENDER_HELP[field.name]} (default {field.default})")


def _render(options) -> int:
    if options.voice is None and options.motion is None:
        raise ConfigError("There is nothing to perform. Give a voice, or a motion with --motion.")
    idle = [name for name in _GENERATOR_ONLY if getattr(options, name) is not None]
    if options.motion is not None and idle:
        flags = ", ".join("--" + name.replace("_", "-") for name in idle)
        raise ConfigError(f"{flags}: a motion that is given is not generated, so this has no effect. Leave it out.")
    return _make_video(options, options.portrait, options.voice, options.consent, options.detector, options.restore)


def _demo(options) -> int:
    from animate.example import example_portrait, example_voice

    return _make_video(options, example_portrait(), example_voice(), "public-domain")


def _make_video(
    options, portrait, voice, consent: str | None, detector: str = "mediapipe", restore: str = "off"
) -> int:
    config = load_config(RenderConfig, _preset(options.config), _overrides(options))
    from animate.interchange import check_motion_target, load_motion, save_motion
    from animate.media import check_target
    from animate.motion.direction import Direction, direct
    from animate.pipeline import Animator, perform, read_portrait, read_scene, read_voice
    from animate.restoration import in_words
    from animate.speech import read_transcript
    from animate.types import Portrait

    check_target(options.output)
    if options.save_motion:
        check_motion_target(options.save_motion)
    motion = load_motion(options.motion) if options.motion else None
    speech = read_voice(voice) if voice else None
    direction = read_scene(options.direction, speech, options.transcript and read_transcript(options.transcript))
    progress = sys.stderr.isatty()
    if not isinstance(portrait, Portrait):
        portrait = read_portrait(portrait, detector=detector, restore=restore)
        if portrait.restoration:
            print(in_words(portrait.restoration), file=sys.stderr)
    given = {"direction": direction, "config": config, "consent": consent, "allow_marked": options.allow_marked}
    if motion is not None:
        clip = perform(portrait, direct(motion, direction or Direction()), speech, **given)
    else:
        animator = Animator.from_pretrained(options.checkpoint, device=options.device)
        clip = animator(portrait, speech, progress=progress, **given)
    if options.save_motion:
        save_motion(clip.motion, options.save_motion)
    print(clip.save(options.output, progress=progress))
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


def _preset(config: str | None) -> Path | None:
    if config is None or Path(config).suffix:
        return config and Path(config)
    return shipped("configs/render") / f"{config}.yaml"


def _overrides(options) -> dict:
    return {field.name: getattr(options, field.name) for field in fields(RenderConfig)}


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
