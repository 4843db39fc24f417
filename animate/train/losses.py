"""What the networks are trained for: clean motion from noisy motion and a voice."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from animate.motion.contacts import LIPS, ROUNDED, TEETH
from animate.motion.denoiser import NUM_CONDITIONS, MotionDenoiser
from animate.motion.encoder import SpeechEncoder
from animate.motion.latents import LATENT_INDEX, LOWER_DOWN_GAP, NUM_LIP_LATENTS, UPPER_UP_GAP
from animate.motion.pipeline import CONTEXT
from animate.train.dataset import Batch

_LIP_WEIGHT = 2.0  # lips are what a viewer checks; head and brows only need to be plausible
_MIN_LEVEL = 0.1  # a sampler of ten steps or fewer never asks below
_MAX_LEVEL_WEIGHT = 4.0
_CHANGE_WEIGHT = 6.0  # of frame-to-frame differences, which are small beside the values
_GAP_WEIGHT = 1.0
_CONTACT_WEIGHT = 3.0  # how much more a frame counts in which the lips touch each other or the teeth
_CONTACT_GAP = 0.3  # tenths of the lip gap; f and v hold 0.28
_CONTEXT_NOISE = 0.05  # the context is the model's own work and not perfect
_PHONE_WEIGHT = 0.25
_CONTACT_PHONE_WEIGHT = 2.0  # of the phones that `motion.contacts` carries out


class Learner(nn.Module):
    """Both networks and the loss, as one module.

    Parameters
    ----------
    encoder : SpeechEncoder
    denoiser : MotionDenoiser
    dropout, context_share : float
        As in `TrainConfig`.
    draws : int
    listen_only : bool
    """

    def __init__(
        self,
        encoder: SpeechEncoder,
        denoiser: MotionDenoiser,
        dropout: float = 0.1,
        context_share: float = 0.8,
        draws: int = 1,
        listen_only: bool = False,
    ):
        super().__init__()
        self.encoder, self.denoiser = encoder, denoiser
        self.dropout, self.context_share, self.draws = dropout, context_share, draws
        self.listen_only = listen_only
        self.register_buffer("mean", torch.tensor(denoiser.config.mean), persistent=False)
        self.register_buffer("scale", torch.tensor(denoiser.config.scale), persistent=False)
        weights = torch.ones(len(denoiser.config.latents))
        weights[:NUM_LIP_LATENTS] = _LIP_WEIGHT
        self.register_buffer("weights", weights / weights.mean(), persistent=False)
        touching = [phone != "" and phone in LIPS + TEETH + ROUNDED for phone in encoder.config.phones]
        phone_weights = torch.where(torch.tensor(touching), _CONTACT_PHONE_WEIGHT, 1.0)
        self.register_buffer("phone_weights", phone_weights, persistent=False)

    def forward(self, batch: Batch, generator: torch.Generator) -> dict[str, Tensor]:
        """Return the losses by name; 'loss' is their sum.

        Parameters
        ----------
        batch : Batch
            Of tensors.
        generator : torch.Generator
            Of levels, noise and dropout.
        """
        margin = self.encoder.margin
        heard = self.encoder(batch.features)
        voice, guess = heard.last_hidden_state[:, margin:-margin], heard.lips[:, margin:-margin]
        motion = (batch.controls - self.mean) / self.scale
        lips = motion[..., :NUM_LIP_LATENTS]
        losses = {f"ear_{name}": value for name, value in self._errors(guess, lips, torch.ones_like(lips)).items()}
        named = nn.functional.cross_entropy(
            heard.phones[:, margin:-margin].flatten(0, 1).float(), batch.phones.flatten(), self.phone_weights
        )
        losses["ear_phone"] = _PHONE_WEIGHT * named
        if not self.listen_only:
            conditions = [tensor.repeat(self.draws, 1, 1) for tensor in (voice, batch.emotion, batch.style)]
            by_flow = self._flow_errors(motion.repeat(self.draws, 1, 1), conditions, generator)
            losses |= {f"flow_{name}": value for name, value in by_flow.items()}
        return {"loss": sum(losses.values()), **losses}

    def _flow_errors(self, motion: Tensor, conditions: list[Tensor], generator: torch.Generator) -> dict[str, Tensor]:
        """Return the errors of motion [B, T, L] estimated from itself and noise."""
        batch, length, _ = motion.shape
        kept = torch.rand(batch, NUM_CONDITIONS, generator=generator) >= self.dropout
        condition = self.denoiser.embed(*conditions, kept)
        level = torch.rand(batch, 1, generator=generator).sqrt().clamp(min=_MIN_LEVEL).expand(batch, length)
        known = torch.rand(batch, 1, generator=generator) < self.context_share
        known = known & (torch.arange(length) < CONTEXT)
        noise = correlated_noise(motion.shape, self.denoiser.config.noise_correlation, generator)
        mixed = torch.lerp(motion, noise, level[..., None])
        context = motion + _CONTEXT_NOISE * torch.randn(motion.shape, generator=generator)
        sample = torch.where(known[..., None], context, mixed)
        clean = self.denoiser(sample, torch.where(known, 0.0, level), condition)
        # What the voice decides must come out at the first, noisiest step; what it leaves open, at the last ones
        level_weight = (0.25 / level[..., None] ** 2).clamp(max=_MAX_LEVEL_WEIGHT, min=0.5)
        level_weight = level_weight.repeat(1, 1, len(self.weights))
        level_weight[..., :NUM_LIP_LATENTS] = 1.0
        return self._errors(clean, motion, level_weight * ~known[..., None])

    def _errors(self, clean: Tensor, motion: Tensor, frame_weight: Tensor) -> dict[str, Tensor]:
        """Return weighted errors of values, of their changes from frame to frame and of the lips' gap."""
        clean, weights = clean.float(), self.weights[: motion.shape[-1]]
        gap_error, touching = self._gap(clean, motion)
        frame_weight = frame_weight / frame_weight.mean()
        error = (clean - motion) ** 2
        change = ((clean - motion)[:, 1:] - (clean - motion)[:, :-1]) ** 2
        return {
            "value": (error * weights * frame_weight).mean(),
            "change": _CHANGE_WEIGHT * (change * weights * frame_weight[:, 1:]).mean(),
            "gap": _GAP_WEIGHT * (gap_error * (1 + _CONTACT_WEIGHT * touching) * frame_weight[..., 0]).mean(),
        }

    def _gap(self, clean: Tensor, motion: Tensor) -> tuple[Tensor, Tensor]:
        """Return squared errors of the lip gap in units of a tenth, and where something should touch; [B, T] each."""
        gaps = []
        for values in (clean, motion):
            raw = values[..., :NUM_LIP_LATENTS] * self.scale[:NUM_LIP_LATENTS] + self.mean[:NUM_LIP_LATENTS]
            jaw, close, lower, upper = (
                raw[..., LATENT_INDEX[name]] for name in ("jawOpen", "mouthClose", "mouthLowerDown", "mouthUpperUp")
            )
            gaps.append(10 * (jaw - close + LOWER_DOWN_GAP * lower + UPPER_UP_GAP * upper))
        return (gaps[0] - gaps[1]) ** 2, (gaps[1] < _CONTACT_GAP).float()


def correlated_noise(shape: tuple[int, ...], correlation: float, generator: torch.Generator) -> Tensor:
    """Return noise [B, T, L] of unit variance that is a first-order autoregression over T."""
    steps = np.arange(shape[1])
    distance = steps[:, None] - steps
    # Row t mixes the draws up to t; the first column also stands for everything before the window
    filters = np.where(distance >= 0, correlation ** np.maximum(distance, 0), 0) * (1 - correlation**2) ** 0.5
    filters[:, 0] /= (1 - correlation**2) ** 0.5
    with torch.autocast("cpu", enabled=False):
        return torch.from_numpy(filters).float() @ torch.randn(shape, generator=generator)
