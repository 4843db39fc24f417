"""Train the motion model: python -m animate.train configs/train/base.yaml"""

from __future__ import annotations

import argparse
import logging
import sys
from dataclasses import fields
from pathlib import Path

from animate.config import load_config
from animate.errors import AnimateError
from animate.train.settings import TrainConfig


def main(arguments: list[str] | None = None) -> int:
    """Run the training from the command line; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m animate.train", description="Train the motion model.")
    parser.add_argument("config", type=Path, nargs="?", help="a YAML file such as configs/train/base.yaml")
    for field in fields(TrainConfig):
        if field.type in ("int", "float", "str"):
            kind = {"int": int, "float": float, "str": str}[field.type]
            parser.add_argument(f"--{field.name.replace('_', '-')}", type=kind, metavar=field.type.upper())
    options = vars(parser.parse_args(arguments))
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    try:
        config = load_config(TrainConfig, options.pop("config"), options)
        from animate.train.loop import train

        train(config, progress=sys.stderr.isatty())
    except AnimateError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
