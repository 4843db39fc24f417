"""Average the weights of checkpoints that grew out of one another (a model soup, Wortsman et al. 2022).

    python -m animate.train.average checkpoints/base FIRST SECOND ...

Runs that begin with each other's weights end in different places of the same basin; their mean generalises better than
either, at no cost.
"""

from __future__ import annotations

import argparse
import shutil
import sys
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

from animate.errors import AnimateError, CheckpointError
from animate.train.loop import CARD, install


def average(checkpoints: list[Path], out: Path) -> Path:
    """Write a checkpoint whose weights are the means of those given, in half precision.

    Parameters
    ----------
    checkpoints : list of Path
        Folders of the same architecture; configuration and scheduler are those of the last.
    out : Path
        May be one of them; a model card in it stays.

    Raises
    ------
    CheckpointError
        If a folder is no checkpoint, or the weights do not fit together.
    """
    means = {file: _mean(file, checkpoints) for file in _weights(checkpoints[-1])}
    partial = out.with_name(out.name + ".partial")
    shutil.copytree(checkpoints[-1], partial, ignore=shutil.ignore_patterns(*CARD), dirs_exist_ok=True)
    for file, mean in means.items():
        save_file(mean, str(partial / file), metadata={"format": "pt"})
    install(partial, out)
    return out


def _weights(checkpoint: Path) -> list[Path]:
    files = sorted(path.relative_to(checkpoint) for path in checkpoint.rglob("*.safetensors"))
    if not files:
        raise CheckpointError(f"{checkpoint} holds no weights. Name the folder of a checkpoint.")
    return files


def _mean(file: Path, checkpoints: list[Path]) -> dict[str, torch.Tensor]:
    missing = [folder for folder in checkpoints if not (folder / file).is_file()]
    if missing:
        raise CheckpointError(f"{missing[0]} does not hold {file}. Average checkpoints of one architecture.")
    parts = [load_file(str(folder / file)) for folder in checkpoints]
    shapes = [{name: tensor.shape for name, tensor in part.items()} for part in parts]
    if any(shape != shapes[0] for shape in shapes):
        raise CheckpointError(f"{file} differs in shape. Average checkpoints of one architecture.")
    return {name: torch.stack([part[name].float() for part in parts]).mean(dim=0).half() for name in parts[0]}


def main(arguments: list[str] | None = None) -> int:
    """Run from the command line; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m animate.train.average", description="Average checkpoints.")
    parser.add_argument("out", type=Path, help="folder of the result")
    parser.add_argument("checkpoints", type=Path, nargs="+", help="folders of what is averaged")
    options = parser.parse_args(arguments)
    try:
        average(options.checkpoints, options.out)
    except AnimateError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
