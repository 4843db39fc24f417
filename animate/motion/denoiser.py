"""The performer: estimates clean motion controls from noisy ones and what is heard."""

from __future__ import annotations

import math

import torch
from diffusers import ConfigMixin, ModelMixin
from diffusers.configuration_utils import register_to_config
from torch import Tensor, nn
from torch.nn import functional

from animate.motion.emotions import EMOTIONS

# How a speaker differs from an ordinary one: articulation - 1, and log2 of the head's liveliness
STYLES = ("articulation", "liveliness")
NUM_CONDITIONS = 3  # voice, emotion, style


class MotionDenoiser(ModelMixin, ConfigMixin):
    """A transformer over a window of frames, conditioned frame by frame through adaptive layer norms.

    Every frame has its own noise level, so that frames already decided stand in the same window as context at level 0
    (diffusion forcing, Chen et al. 2024). The condition enters each frame's norms (AdaLN, Peebles & Xie 2023) and is
    not attended to: a voice and the face that speaks with it are already aligned.

    Parameters
    ----------
    latents : list of (str, dict)
        Names of the controls in order, each with the channels that it moves and their gains
        (`animate.motion.latents`). A list, because the saved config sorts the keys of a dict.
    mean, scale : list of float
        Of each control in training; the network works on (control - mean) / scale.
    condition_size : int
        Of the speech encoder's output.
    hidden_size, num_layers, num_heads, kernel_size : int
    noise_correlation : float
        Of the noise in neighbouring frames, with which the network was trained.
    emotions, styles : list of str
        Names of the entries of the emotion and of the style condition.
    """

    @register_to_config
    def __init__(
        self,
        latents: list[tuple[str, dict[str, float]]],
        mean: list[float],
        scale: list[float],
        condition_size: int = 192,
        hidden_size: int = 192,
        num_layers: int = 4,
        num_heads: int = 4,
        kernel_size: int = 7,
        noise_correlation: float = 0.8,
        emotions: tuple[str, ...] = EMOTIONS,
        styles: tuple[str, ...] = STYLES,
    ):
        super().__init__()
        self.project_in = nn.Linear(len(latents), hidden_size)
        self.level_mlp = nn.Sequential(nn.Linear(64, hidden_size), nn.SiLU(), nn.Linear(hidden_size, hidden_size))
        self.project_voice = nn.Linear(condition_size, hidden_size)
        self.project_emotion = nn.Linear(len(emotions), hidden_size)
        self.project_style = nn.Linear(len(styles), hidden_size)
        # What stands for a condition that is left out; no emotion is not the same as neutral
        self.left_out = nn.Parameter(torch.zeros(NUM_CONDITIONS, hidden_size))
        self.blocks = nn.ModuleList(DenoiserBlock(hidden_size, num_heads, kernel_size) for _ in range(num_layers))
        self.norm = nn.LayerNorm(hidden_size, elementwise_affine=False)
        self.modulate = nn.Linear(hidden_size, 2 * hidden_size)
        self.project_out = nn.Linear(hidden_size, len(latents))

    def embed(self, voice: Tensor, emotion: Tensor, style: Tensor, kept: Tensor | None = None) -> Tensor:
        """Join the conditions of each frame.

        Parameters
        ----------
        voice : float [B, T, condition_size]
        emotion : float [B, T, len(emotions)]
            Intensities 0-1.
        style : float [B, T, len(styles)]
            Difference from an ordinary speaker, 0 is none.
        kept : bool [B, 3], optional
            Which of voice, emotion and style each row has; all of them by default.

        Returns
        -------
        float [B, T, hidden_size]
        """
        parts = torch.stack(
            [self.project_voice(voice), self.project_emotion(emotion), self.project_style(style)], dim=1
        )  # [B, 3, T, hidden]
        if kept is not None:
            parts = torch.where(kept[:, :, None, None], parts, self.left_out[:, None].to(parts.dtype))
        return parts.sum(dim=1)

    def forward(self, sample: Tensor, noise_level: Tensor, condition: Tensor) -> Tensor:
        """Estimate the clean motion.

        Parameters
        ----------
        sample : float [B, T, L]
            Normalised controls mixed with noise: (1 - level) motion + level noise.
        noise_level : float [B, T]
            0 (clean) to 1 (noise only).
        condition : float [B, T, hidden_size]
            From `embed`.

        Returns
        -------
        float [B, T, L]
            Normalised controls without noise.
        """
        condition = functional.silu(condition + self.level_mlp(_level_embedding(noise_level)))
        hidden = self.project_in(sample) + condition
        for block in self.blocks:
            hidden = block(hidden, condition)
        shift, scale = self.modulate(condition).chunk(2, dim=-1)
        return self.project_out(self.norm(hidden) * (1 + scale) + shift)


class DenoiserBlock(nn.Module):
    """Attention in time, a depthwise convolution and an MLP, each behind a norm set by the condition."""

    def __init__(self, size: int, num_heads: int, kernel_size: int):
        super().__init__()
        self.num_heads = num_heads
        self.norm = nn.LayerNorm(size, elementwise_affine=False)
        self.modulate = nn.Linear(size, 4 * size)
        self.to_qkv = nn.Linear(size, 3 * size)
        self.to_out = nn.Linear(size, size)
        self.mix_time = nn.Conv1d(size, size, kernel_size, padding=kernel_size // 2, groups=size)
        self.mlp = nn.Sequential(nn.Linear(size, 2 * size), nn.GELU(), nn.Linear(2 * size, size))

    def forward(self, hidden: Tensor, condition: Tensor) -> Tensor:
        """Return [B, T, size] for hidden and condition of that shape."""
        shift, scale, shift_mlp, scale_mlp = self.modulate(condition).chunk(4, dim=-1)
        hidden = hidden + self._attend(self.norm(hidden) * (1 + scale) + shift)
        mixed = self.mix_time(hidden.transpose(1, 2)).transpose(1, 2)
        return hidden + self.mlp(self.norm(mixed) * (1 + scale_mlp) + shift_mlp)

    def _attend(self, hidden: Tensor) -> Tensor:
        heads = self.to_qkv(hidden).unflatten(-1, (3, self.num_heads, -1)).permute(2, 0, 3, 1, 4)
        query, key, value = heads  # [B, heads, T, size / heads]
        # Written out: on a CPU the fused kernel's backward pass takes a third of the whole training step
        scores = _rotated(query) @ _rotated(key).transpose(-2, -1) * query.shape[-1] ** -0.5
        attended = scores.softmax(dim=-1).to(value.dtype) @ value
        return self.to_out(attended.transpose(1, 2).flatten(2))


def _rotated(heads: Tensor) -> Tensor:
    """Turn pairs of dimensions by their frame's position, so that attention sees distances (RoPE, Su et al. 2021)."""
    length, size = heads.shape[-2:]
    frequency = torch.exp(torch.arange(size // 2, device=heads.device) * (-math.log(1000.0) * 2 / size))
    angle = torch.arange(length, device=heads.device)[:, None] * frequency
    cosine, sine = angle.cos().to(heads.dtype), angle.sin().to(heads.dtype)
    first, second = heads.chunk(2, dim=-1)
    return torch.cat([first * cosine - second * sine, first * sine + second * cosine], dim=-1)


def _level_embedding(noise_level: Tensor) -> Tensor:
    """Return sines and cosines [B, T, 64] of noise levels [B, T]."""
    frequency = torch.exp(torch.linspace(math.log(1.0), math.log(200.0), 32, device=noise_level.device))
    angle = noise_level[..., None].float() * frequency
    return torch.cat([angle.sin(), angle.cos()], dim=-1).to(noise_level.dtype)
