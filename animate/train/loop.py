"""The training loop: prepare the material, train both networks, keep an average of them, save, resume."""

from __future__ import annotations

import copy
import json
import logging
import math
import shutil
from pathlib import Path

import numpy as np
import torch
from accelerate import Accelerator
from diffusers import FlowMatchEulerDiscreteScheduler
from safetensors.torch import load_file, save_file
from torch import nn
from tqdm import tqdm

from animate.motion.denoiser import MotionDenoiser
from animate.motion.encoder import SpeechEncoder, SpeechEncoderConfig
from animate.motion.latents import LATENTS, NUM_LIP_LATENTS
from animate.motion.pipeline import WINDOW, AudioToMotionPipeline, load_pipeline
from animate.speech.features import FEATURES
from animate.train.dataset import Batch, Windows, prepare
from animate.train.losses import Learner
from animate.train.settings import TrainConfig
from animate.train.visemes import PHONE_CLASSES

CARD = "README.md", "scores.json"  # what people add to a checkpoint
_log = logging.getLogger(__name__)


def train(config: TrainConfig, progress: bool = False) -> Path:
    """Train to `config.num_steps`, going on from where an earlier run with the same `out` stopped.

    Returns
    -------
    Path
        The checkpoint folder.

    Raises
    ------
    ConfigError
        If there is no corpus.
    CheckpointError
        If `config.start_from` is no checkpoint.
    """
    out = Path(config.out)
    prepare(Path(config.corpus), out / "material", config.hours, config.seed, config.workers, progress)
    accelerator = Accelerator(mixed_precision=config.mixed_precision)
    encoder, denoiser = first_networks(config, out)
    windows = Windows(out / "material", WINDOW, encoder.margin)
    learner = Learner(encoder, denoiser, config.dropout, config.context_share, config.draws, config.listen_only)
    optimizer = torch.optim.AdamW(
        learner.parameters(), config.learning_rate, betas=(0.9, 0.98), weight_decay=config.weight_decay, fused=True
    )
    average = {name: value.detach().clone() for name, value in learner.state_dict().items()}
    first = load_state(out / "state", learner, optimizer, average)
    learner, optimizer = accelerator.prepare(learner, optimizer)
    with tqdm(total=config.num_steps, initial=first, unit="step", desc="training", disable=not progress) as bar:
        for step in range(first, config.num_steps):
            losses = _step(learner, optimizer, accelerator, windows, config, step)
            _follow(average, accelerator.unwrap_model(learner), min(config.ema_decay, (step + 1) / (step + 10)))
            bar.update()
            if (step + 1) % 25 == 0:
                _report(out / "log.jsonl", step + 1, losses)
            if (step + 1) % config.save_every == 0 or step + 1 == config.num_steps:
                save_state(out / "state", accelerator.unwrap_model(learner), optimizer, average, step + 1)
                export(config, learner=accelerator.unwrap_model(learner), average=average)
    return Path(config.checkpoint)


def first_networks(config: TrainConfig, out: Path) -> tuple[SpeechEncoder, MotionDenoiser]:
    """Return both networks as a run begins with them: from the seed, or from another checkpoint."""
    if not config.start_from:
        return build_networks(config, *measure_controls(out))
    model = load_pipeline(config.start_from)
    settings = {name: value for name, value in model.denoiser.config.items() if not name.startswith("_")}
    denoiser = MotionDenoiser(**settings)  # anew: what was loaded would write its path into the next checkpoint
    denoiser.load_state_dict(model.denoiser.state_dict())
    return model.speech_encoder, denoiser


def build_networks(config: TrainConfig, mean: list[float], scale: list[float]) -> tuple[SpeechEncoder, MotionDenoiser]:
    """Return both networks, freshly initialised from the seed."""
    torch.manual_seed(config.seed)
    encoder = SpeechEncoder(
        SpeechEncoderConfig(
            num_features=len(FEATURES),
            hidden_size=config.hidden_size,
            dilations=config.encoder_dilations,
            num_lips=NUM_LIP_LATENTS,
            phones=PHONE_CLASSES,
        )
    )
    denoiser = MotionDenoiser(
        latents=[[name, gains] for name, gains in LATENTS.items()],
        mean=mean,
        scale=scale,
        condition_size=config.hidden_size,
        hidden_size=config.hidden_size,
        num_layers=config.num_layers,
        num_heads=config.num_heads,
        noise_correlation=config.noise_correlation,
    )
    return encoder, denoiser


def measure_controls(out: Path) -> tuple[list[float], list[float]]:
    """Return mean and standard deviation of each control; measured once in a run, even if its material changes."""
    path = out / "controls.json"
    if not path.exists():
        controls = np.load(out / "material" / "controls.npy", mmap_mode="r")[::5].astype(np.float64)
        scale = np.maximum(controls.std(axis=0), 0.01)
        path.write_text(json.dumps({"mean": controls.mean(axis=0).round(5).tolist(), "scale": scale.round(5).tolist()}))
    measured = json.loads(path.read_text())
    return measured["mean"], measured["scale"]


def _step(learner, optimizer, accelerator: Accelerator, windows: Windows, config: TrainConfig, step: int) -> dict:
    """Take one optimiser step; its randomness follows from seed and step alone, so that a resumed run is the same."""
    for group in optimizer.param_groups:
        group["lr"] = config.learning_rate * _schedule(step, config)
    batch = windows.batch(config.batch_size, np.random.default_rng((config.seed, step)))
    torch.manual_seed(config.seed * 1_000_003 + step)  # for dropout, which takes no generator
    generator = torch.Generator().manual_seed(config.seed * 1_000_003 + step)
    batch = Batch(**{name: torch.from_numpy(array).to(accelerator.device) for name, array in vars(batch).items()})
    with accelerator.autocast():
        losses = learner(batch, generator)
    accelerator.backward(losses["loss"])
    accelerator.clip_grad_norm_(learner.parameters(), config.max_gradient_norm)
    optimizer.step()
    optimizer.zero_grad()
    return {name: loss.item() for name, loss in losses.items()}


def _schedule(step: int, config: TrainConfig) -> float:
    """Return the learning rate's share of its peak: a linear rise, then half a cosine down to a fiftieth."""
    if step < config.warmup_steps:
        return (step + 1) / config.warmup_steps
    done = (step - config.warmup_steps) / max(1, config.num_steps - config.warmup_steps)
    return 0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * min(1.0, done)))


@torch.no_grad()
def _follow(average: dict[str, torch.Tensor], learner: nn.Module, decay: float) -> None:
    values = learner.state_dict()
    torch._foreach_lerp_(list(average.values()), [values[name] for name in average], 1 - decay)


def _report(path: Path, step: int, losses: dict[str, float]) -> None:
    with path.open("a") as file:
        file.write(json.dumps({"step": step, **{name: round(loss, 5) for name, loss in losses.items()}}) + "\n")
    _log.info("step %d: %s", step, ", ".join(f"{name} {loss:.3f}" for name, loss in losses.items()))


def save_state(folder: Path, learner: nn.Module, optimizer, average: dict[str, torch.Tensor], step: int) -> None:
    """Write what a run needs to go on, as safetensors and JSON."""
    tensors = {f"learner/{name}": value for name, value in learner.state_dict().items()}
    tensors |= {f"average/{name}": value for name, value in average.items()}
    for index, moments in optimizer.state_dict()["state"].items():
        tensors |= {f"optimizer/{index}/{name}": value for name, value in moments.items()}
    partial = folder.with_name(folder.name + ".partial")
    partial.mkdir(parents=True, exist_ok=True)
    save_file({name: value.contiguous() for name, value in tensors.items()}, str(partial / "state.safetensors"))
    (partial / "state.json").write_text(json.dumps({"step": step}))
    _replace(partial, folder)


def load_state(folder: Path, learner: nn.Module, optimizer, average: dict[str, torch.Tensor]) -> int:
    """Restore a state, if there is one; return the number of steps done."""
    if not (folder / "state.json").exists():
        return 0
    tensors = load_file(str(folder / "state.safetensors"))
    learner.load_state_dict({name: tensors[f"learner/{name}"] for name in learner.state_dict()})
    for name in average:
        average[name].copy_(tensors[f"average/{name}"])
    state = optimizer.state_dict()
    moments: dict[int, dict] = {}
    for name, value in tensors.items():
        if name.startswith("optimizer/"):
            _, index, moment = name.split("/")
            moments.setdefault(int(index), {})[moment] = value
    optimizer.load_state_dict({**state, "state": moments})
    return json.loads((folder / "state.json").read_text())["step"]


def export(config: TrainConfig, learner: Learner, average: dict[str, torch.Tensor]) -> None:
    """Write the averaged networks as a pipeline in half precision; a model card beside them stays."""
    folder = Path(config.checkpoint)
    averaged = copy.deepcopy(learner)
    averaged.load_state_dict(average)
    networks = averaged.encoder.half(), averaged.denoiser.half()
    pipeline = AudioToMotionPipeline(*networks, FlowMatchEulerDiscreteScheduler())
    partial = folder.with_name(folder.name + ".partial")
    pipeline.save_pretrained(partial)
    install(partial, folder)


def install(partial: Path, folder: Path) -> None:
    """Put a complete checkpoint in the place of an older one, whose model card stays."""
    for card in CARD:
        if (folder / card).exists():
            shutil.copy(folder / card, partial / card)
    _replace(partial, folder)


def _replace(partial: Path, folder: Path) -> None:
    """Put a complete folder in the place of an older one."""
    old = folder.with_name(folder.name + ".old")
    shutil.rmtree(old, ignore_errors=True)
    if folder.exists():
        folder.rename(old)
    partial.rename(folder)
    shutil.rmtree(old, ignore_errors=True)
