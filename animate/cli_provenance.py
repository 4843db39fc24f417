"""The part of the command line that is about where a file comes from: `verify`, `log`, `bench watermark`."""

from __future__ import annotations

import argparse
import sys


def add_benchmarks(commands: argparse._SubParsersAction) -> None:
    """Add `bench watermark` and `bench unmarked` to the subcommands of `bench`."""
    bench = commands.add_parser("watermark", help="what the mark survives, what it changes and what it costs")
    bench.add_argument("--portrait", nargs="+", help="pictures to use instead of the example")
    bench.add_argument("--voice", nargs="+", help="voices, used in turn, instead of the example")
    bench.add_argument("--seconds", type=float, default=2.0, help="length of each clip (default 2)")
    bench.add_argument("--strength", default="balanced", help="balanced (default), strong or discreet")
    bench.add_argument("--attack", nargs="+", metavar="NAME", help="only these")
    bench.set_defaults(run=_bench_watermark)

    bench = commands.add_parser("unmarked", help="how often the detector is wrong about what carries no mark")
    bench.add_argument("files", nargs="*", metavar="FILE", help="unmarked pictures and videos, beside synthetic ones")
    bench.add_argument("--items", type=int, default=1000, help="default 1000, about five minutes of one core")
    bench.add_argument("--deep", action="store_true", help="with the deep search")
    bench.add_argument("--seed", type=int, default=0)
    bench.add_argument("--workers", type=int, default=1)
    bench.set_defaults(run=_bench_unmarked)


def _bench_watermark(options) -> int:
    from animate.bench_watermark import Trial, chosen, clips, measure, table
    from animate.example import example_portrait, example_voice

    attacks, results = chosen(options.attack), []
    portraits, voices = options.portrait or [example_portrait()], options.voice or [example_voice()]
    for clip in clips(portraits, voices, options.seconds):
        for result in measure(*clip, attacks=attacks, strength=options.strength):
            results.append(result)
            if isinstance(result, Trial) and not result.exact:
                print(f"{result.clip}: id not read after {result.attack.name} ({result.score:.1f})", file=sys.stderr)
    print(table(results))
    return 0


def _bench_unmarked(options) -> int:
    from tqdm import tqdm

    from animate.bench_unmarked import examine, report

    items = examine(options.files, options.items, seed=options.seed, deep=options.deep, workers=options.workers)
    print(report(list(tqdm(items, total=options.items, unit="item", disable=None))))
    return 0
