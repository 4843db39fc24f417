"""The part of the command line that is about where a file comes from: `verify`, `log` and two benchmarks."""

from __future__ import annotations

import argparse
import itertools
import json
import sys
from pathlib import Path

MARKED, NOT_MARKED, ERROR = 0, 1, 2


def add_commands(commands: argparse._SubParsersAction) -> None:
    """Add `verify` and `log`."""
    verify = commands.add_parser("verify", help="was this made here? exit status 0 yes, 1 no, 2 error")
    verify.add_argument("paths", nargs="+", metavar="PATH", help="picture, video or folder; - reads a list from stdin")
    verify.add_argument("--deep", action="store_true", help="also search rotated and squeezed versions")
    verify.add_argument("--recursive", action="store_true", help="also look into folders inside folders")
    verify.add_argument("--workers", type=int, default=1, help="processes (default 1)")
    verify.add_argument("--json", action="store_true", help="one JSON object a line")
    verify.set_defaults(run=_verify)

    log = commands.add_parser("log", help="the record of what was made and refused by this user")
    actions = log.add_subparsers(required=True, metavar="verify|find|export")
    actions.add_parser("verify", help="is the chain whole?").set_defaults(run=_log_verify)
    find = actions.add_parser("find", help="what is known about a mark? exit status 1 if nothing")
    find.add_argument("mark_id", metavar="ID", help="12 hex digits")
    find.set_defaults(run=_log_find)
    actions.add_parser("export", help="the whole record, one JSON object a line").set_defaults(run=_log_export)


def add_consent(render: argparse.ArgumentParser) -> None:
    """Add the flags that say by what right a portrait is animated."""
    render.add_argument(
        "--consent",
        metavar="WORD",
        help="by what right: self, permission:REFERENCE, public-domain, historical, fictional or undeclared; kept "
        "for the portrait. Without it the video carries a visible label",
    )
    render.add_argument(
        "--allow-marked",
        action="store_true",
        help="accept a portrait that came out of this engine; it is named as source",
    )


def add_benchmarks(commands: argparse._SubParsersAction) -> None:
    """Add `bench watermark` and `bench unmarked` to the subcommands of `bench`."""
    bench = commands.add_parser("watermark", help="what the mark survives, what it changes and what it costs")
    bench.add_argument("--portrait", nargs="+", help="pictures to use instead of the example")
    bench.add_argument("--voice", nargs="+", help="voices, used in turn, instead of the example")
    bench.add_argument(
        "--seconds", type=float, nargs="+", default=[2.0], help="lengths of the clips, used in turn (default 2)"
    )
    bench.add_argument(
        "--size", default="", help="longest side of the clips, as for `render` (default: as `render` does)"
    )
    bench.add_argument("--strength", default="balanced", help="balanced (default), strong or discreet")
    bench.add_argument("--attack", nargs="+", metavar="NAME", help="only these")
    bench.add_argument(
        "--peers",
        type=int,
        default=0,
        metavar="N",
        help="also invisible-watermark and blind-watermark, on N clips (slow)",
    )
    bench.add_argument(
        "--results",
        type=Path,
        metavar="FILE",
        help="keep results as JSON lines; those that stand there are not measured again",
    )
    bench.set_defaults(run=_bench_watermark)

    bench = commands.add_parser("unmarked", help="how often the detector is wrong about what carries no mark")
    bench.add_argument("files", nargs="*", metavar="FILE", help="unmarked pictures and videos, beside synthetic ones")
    bench.add_argument("--items", type=int, default=1000, help="default 1000, about five minutes of one core")
    bench.add_argument("--deep", action="store_true", help="with the deep search")
    bench.add_argument("--seed", type=int, default=0)
    bench.add_argument("--workers", type=int, default=1)
    bench.set_defaults(run=_bench_unmarked)


def _bench_watermark(options) -> int:
    from animate.bench.peers import measure_peer, peers
    from animate.bench.watermark import Trial, chosen, clips, keep, kept, measure, table
    from animate.example import example_portrait, example_voice

    attacks, others = chosen(options.attack), peers() if options.peers else ()
    results = kept(options.results) if options.results else []
    portraits, voices = options.portrait or [example_portrait()], options.voice or [example_voice()]
    for number, clip in enumerate(clips(portraits, voices, options.seconds, options.size)):
        measured = [measure(clip, attacks=attacks, strength=options.strength, known=results)]
        measured += [measure_peer(peer, clip, attacks, results) for peer in others if number < options.peers]
        for result in itertools.chain(*measured):
            results.append(result)
            if options.results:
                keep(result, options.results)
            if isinstance(result, Trial) and not result.exact and not result.peer:
                print(f"{result.clip}: id not read after {result.attack.name} ({result.score:.1f})", file=sys.stderr)
    print(table(results))
    return 0


def _bench_unmarked(options) -> int:
    from tqdm import tqdm

    from animate.bench.unmarked import examine, report

    items = examine(options.files, options.items, seed=options.seed, deep=options.deep, workers=options.workers)
    print(report(list(tqdm(items, total=options.items, unit="item", disable=None))))
    return 0


def _verify(options) -> int:
    from animate.cli.verify_many import as_json, expand, verify_many
    from animate.errors import AnimateError

    listed = [line.strip() for line in sys.stdin if line.strip()] if "-" in options.paths else []
    named = [path for path in options.paths if path != "-"]
    status = MARKED
    for file, outcome in verify_many(
        expand([*named, *listed], options.recursive), deep=options.deep, workers=options.workers
    ):
        if isinstance(outcome, AnimateError):
            print(f"animate-portrait: {outcome}", file=sys.stderr)
            status = ERROR
        elif not outcome.marked:
            status = max(status, NOT_MARKED)
        if options.json:
            print(json.dumps(as_json(file, outcome)), flush=True)
        elif not isinstance(outcome, AnimateError):
            print(f"{file}: {_in_words(file, outcome)}", flush=True)
    return status


def _in_words(file: Path, verdict) -> str:
    from animate.provenance import in_words, record

    chance = f"p = {verdict.p_value:.2g}"
    if verdict.marked:
        name = f"id {verdict.mark_id}" if verdict.mark_id else "its id cannot be read"
        said = f"made by animate, {name} ({chance})"
    else:
        said = f"no mark found ({chance})"
    said += f"; {in_words(verdict.credentials)}"
    if verdict.mark_id and (notes := record.find(verdict.mark_id)):
        said += f"; in this user's record since {notes[0]['time'][:10]}"
    return said


def _log_verify(options) -> int:
    from animate.provenance import record

    print(f"{record.verify_record()} lines, the chain is whole: {record.record_file()}")
    return 0


def _log_find(options) -> int:
    from animate.provenance import record

    notes = record.find(options.mark_id)
    for note in notes:
        print(json.dumps(note))
    if not notes:
        print(f"Nothing is known about {options.mark_id} in this user's record.", file=sys.stderr)
    return 0 if notes else NOT_MARKED


def _log_export(options) -> int:
    from animate.provenance import record

    for line in record.lines():
        print(json.dumps(line))
    return 0
