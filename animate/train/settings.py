"""Everything a training run can be told; a YAML preset in `configs/train/` overrides these defaults."""

from __future__ import annotations

from dataclasses import dataclass

from animate.errors import ConfigError


@dataclass(frozen=True)
class TrainConfig:
    """Settings of `python -m animate.train`.

    Raises
    ------
    ConfigError
        If a value is impossible.
    """

    corpus: str = "corpus"  # folder of `animate.train.corpus`
    out: str = "out/train"  # prepared material, state to resume from, log
    start_from: str = ""  # folder of a checkpoint whose weights to begin with, instead of random ones
    checkpoint: str = "out/train/checkpoint"  # where the pipeline is written, in diffusers' layout
    seed: int = 0
    listen_only: bool = False  # train the encoder by its own heads; the denoiser rests
    hours: float = 20.0  # of augmented speech to prepare
    workers: int = 1  # processes that prepare it

    hidden_size: int = 192
    encoder_dilations: tuple = (1, 1, 2, 2, 1, 1)
    num_layers: int = 4
    num_heads: int = 4
    noise_correlation: float = 0.8

    num_steps: int = 3000
    batch_size: int = 16  # windows
    draws: int = 1  # noise levels for each window, which share one pass of the encoder
    learning_rate: float = 1e-3
    warmup_steps: int = 100
    weight_decay: float = 0.01
    max_gradient_norm: float = 1.0
    ema_decay: float = 0.998
    dropout: float = 0.1  # share of windows that miss the voice; the same for emotion and style: for guidance
    context_share: float = 0.8  # share of windows that continue earlier frames
    mixed_precision: str = "no"  # or bf16, where the processor multiplies it natively
    save_every: int = 100  # steps

    def __post_init__(self):
        for name in ("hours", "num_steps", "batch_size", "draws", "learning_rate", "save_every"):
            if getattr(self, name) <= 0:
                raise ConfigError(f"{name} is {getattr(self, name)}; use a number above 0.")
        if self.hidden_size % (2 * self.num_heads):
            raise ConfigError(f"hidden_size is {self.hidden_size}; use a multiple of {2 * self.num_heads}.")
