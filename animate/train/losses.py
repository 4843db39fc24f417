"""What the networks are trained for: clean motion from noisy motion and a voice."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from animate.motion.denoiser import MotionDenoiser
from animate.motion.encoder import SpeechEncoder
from animate.motion.latents import LATENT_INDEX, LOWER_DOWN_GAP, NUM_LIP_LATENTS, UPPER_UP_GAP
from animate.motion.pipeline import CONTEXT

_LIP_WEIGHT = 2.0  # lips are what a viewer checks; head and brows only need to be plausible
_MIN_LEVEL = 0.1  # a sampler of ten steps or fewer never asks below
_MAX_LEVEL_WEIGHT = 4.0
_CHANGE_WEIGHT = 6.0  # of frame-to-frame differences, which are small beside the values
_GAP_WEIGHT = 1.0
_SEAL_WEIGHT = 3.0  # how much more a frame counts in which the lips touch
_CONTEXT_NOISE = 0.05  # the context is the model's own work and not perfect


class Learner(nn.Module):
    """Both networks and the loss, as one module.

    Parameters
    ----------
    encoder : SpeechEncoder
    denoiser : MotionDenoiser
    voice_dropout, context_share : float
        As in `TrainConfig`.
    draws : int
    """

    def __init__(
        self,
        encoder: SpeechEncoder,
        denoiser: MotionDenoiser,
        voice_dropout: float = 0.1,
        context_share: float = 0.8,
        draws: int = 1,
    ):
        super().__init__()
        self.encoder, self.denoiser = encoder, denoiser
        self.voice_dropout, self.context_share, self.draws = voice_dropout, context_share, draws
        self.register_buffer("mean", torch.tensor(denoiser.config.mean), persistent=False)
        self.register_buffer("scale", torch.tensor(denoiser.config.scale), persistent=False)
        weights = torch.ones(len(denoiser.config.latents))
        weights[:NUM_LIP_LATENTS] = _LIP_WEIGHT
        self.register_buffer("weights", weights / weights.mean(), persistent=False)

    def forward(self, features: Tensor, controls: Tensor, generator: torch.Generator) -> dict[str, Tensor]:
        """Return the losses by name; 'loss' is their sum.

        Parameters
        ----------
        features : float [B, T + 2 margin, D]
        controls : float [B, T, L]
        generator : torch.Generator
            Of levels, noise and dropout.
        """
        margin = self.encoder.margin
        heard = self.encoder(features)
        condition, guess = heard.last_hidden_state[:, margin:-margin], heard.lips[:, margin:-margin]
        motion = (controls - self.mean) / self.scale
        lips = motion[..., :NUM_LIP_LATENTS]
        by_ear = self._errors(guess.float(), lips, torch.ones_like(lips))

        condition, motion = (tensor.repeat(self.draws, 1, 1) for tensor in (condition, motion))
        batch, length, _ = motion.shape
        deaf = torch.rand(batch, 1, 1, generator=generator) < self.voice_dropout
        condition = torch.where(deaf, self.denoiser.no_voice.to(condition.dtype), condition)
        level = torch.rand(batch, 1, generator=generator).sqrt().clamp(min=_MIN_LEVEL).expand(batch, length)
        known = torch.rand(batch, 1, generator=generator) < self.context_share
        known = known & (torch.arange(length) < CONTEXT)
        noise = correlated_noise(motion.shape, self.denoiser.config.noise_correlation, generator)
        mixed = torch.lerp(motion, noise, level[..., None])
        context = motion + _CONTEXT_NOISE * torch.randn(motion.shape, generator=generator)
        sample = torch.where(known[..., None], context, mixed)
        clean = self.denoiser(sample, torch.where(known, 0.0, level), condition).float()
        # What the voice decides must come out at the first, noisiest step; what it leaves open, at the last ones
        level_weight = (0.25 / level[..., None] ** 2).clamp(max=_MAX_LEVEL_WEIGHT, min=0.5)
        level_weight = level_weight.repeat(1, 1, len(self.weights))
        level_weight[..., :NUM_LIP_LATENTS] = 1.0
        by_flow = self._errors(clean, motion, level_weight * ~known[..., None])
        losses = {f"flow_{name}": value for name, value in by_flow.items()}
        losses |= {f"ear_{name}": value for name, value in by_ear.items()}
        return {"loss": sum(losses.values()), **losses}

    def _errors(self, clean: Tensor, motion: Tensor, frame_weight: Tensor) -> dict[str, Tensor]:
        """Return weighted errors of values, of their changes from frame to frame and of the lips' gap."""
        weights = self.weights[: motion.shape[-1]]
        gap_error, sealed = self._gap(clean, motion)
        frame_weight = frame_weight / frame_weight.mean()
        error = (clean - motion) ** 2
        change = ((clean - motion)[:, 1:] - (clean - motion)[:, :-1]) ** 2
        return {
            "value": (error * weights * frame_weight).mean(),
            "change": _CHANGE_WEIGHT * (change * weights * frame_weight[:, 1:]).mean(),
            "gap": _GAP_WEIGHT * (gap_error * (1 + _SEAL_WEIGHT * sealed) * frame_weight[..., 0]).mean(),
        }

    def _gap(self, clean: Tensor, motion: Tensor) -> tuple[Tensor, Tensor]:
        """Return squared errors of the lip gap in units of a tenth, and where lips should touch; [B, T] each."""
        gaps = []
        for values in (clean, motion):
            raw = values[..., :NUM_LIP_LATENTS] * self.scale[:NUM_LIP_LATENTS] + self.mean[:NUM_LIP_LATENTS]
            jaw, close, lower, upper = (
                raw[..., LATENT_INDEX[name]] for name in ("jawOpen", "mouthClose", "mouthLowerDown", "mouthUpperUp")
            )
            gaps.append(10 * (jaw - close + LOWER_DOWN_GAP * lower + UPPER_UP_GAP * upper))
        return (gaps[0] - gaps[1]) ** 2, (gaps[1] < 0.1).float()


def correlated_noise(shape: tuple[int, ...], correlation: float, generator: torch.Generator) -> Tensor:
    """Return noise [B, T, L] of unit variance that is a first-order autoregression over T."""
    steps = np.arange(shape[1])
    distance = steps[:, None] - steps
    # Row t mixes the draws up to t; the first column also stands for everything before the window
    filters = np.where(distance >= 0, correlation ** np.maximum(distance, 0), 0) * (1 - correlation**2) ** 0.5
    filters[:, 0] /= (1 - correlation**2) ** 0.5
    with torch.autocast("cpu", enabled=False):
        return torch.from_numpy(filters).float() @ torch.randn(shape, generator=generator)
