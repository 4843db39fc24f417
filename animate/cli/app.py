"""The command line, `animate-portrait`: data on stdout, talk on stderr, exit status 2 on any error.

Stages are imported inside the commands, so that `--help` answers at once.
"""

from __future__ import annotations

import argparse
import json
import logging
import sys
from dataclasses import asdict
from pathlib import Path

from animate import __version__
from animate.cli.output import check_names
from animate.cli.people import add_people
from animate.cli.performances import add_performances
from animate.cli.provenance import add_benchmarks, add_commands
from animate.cli.render import add_render
from animate.cli.restore import add_restore
from animate.cli.track import add_track
from animate.errors import AnimateError

ERROR, INTERRUPTED = 2, 130


def main(arguments: list[str] | None = None) -> int:
    """Run one command and return its exit status."""
    arguments = sys.argv[1:] if arguments is None else arguments
    if arguments[:1] == ["score"]:  # has options of its own, which only the training room knows
        from animate.train.score import main as score

        return score(arguments[1:])
    options = _parsed(arguments)
    logging.basicConfig(format="%(message)s", level=logging.INFO if options.verbose else logging.WARNING)
    try:
        check_names(options)
        return options.run(options)
    except AnimateError as error:
        print(f"animate-portrait: {error}", file=sys.stderr)
        return ERROR
    except OSError as error:  # what no check foresaw, such as a name that is too long
        print(f"animate-portrait: {error.strerror or error}: {error.filename}", file=sys.stderr)
        return ERROR
    except KeyboardInterrupt:
        print("animate-portrait: stopped; nothing half-written is left.", file=sys.stderr)
        return INTERRUPTED


def _parsed(arguments: list[str]) -> argparse.Namespace:
    """Return the options; a voice that stands behind an option, where argparse expects none, is taken all the same."""
    parser = _parser()
    options, extra = parser.parse_known_args(arguments)
    missing = options.command == "render" and options.voice is None
    if missing and len(extra) == 1 and not extra[0].startswith("-"):
        options.voice = extra.pop()
    if extra:
        parser.error(f"unrecognized arguments: {' '.join(extra)}")
    return options


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("animate-portrait", description="Make a still portrait speak.")
    parser.add_argument("--version", action="version", version=__version__)
    verbose = {"action": "store_true", "help": "say more on stderr"}
    parser.add_argument("--verbose", **verbose)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    add_render(commands)
    add_performances(commands)
    add_people(commands)
    add_restore(commands)
    add_track(commands)

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

    add_commands(commands)

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
        "shots", help=".csv, .jsonl or .yaml: id, portrait, voice or performance, consent, outputs, and any setting"
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

    for command in commands.choices.values():  # before the command or behind it
        command.add_argument("--verbose", **verbose, default=argparse.SUPPRESS)
    commands.add_parser("score", help="measure a motion model on speech it never saw")  # see `main`
    return parser


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
    from animate.bench.speed import benchmark, table

    rows = benchmark(options.size, options.seconds, fps=options.fps, portrait=options.portrait, voice=options.voice)
    print(json.dumps(rows, indent=2) if options.json else table(rows))
    return 0
