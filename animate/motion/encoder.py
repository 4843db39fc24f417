"""The listener: features of speech become one condition vector for each frame of motion."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from transformers import PretrainedConfig, PreTrainedModel
from transformers.utils import ModelOutput


class SpeechEncoderConfig(PretrainedConfig):
    """Sizes of a `SpeechEncoder`.

    Parameters
    ----------
    num_features : int
        Columns of `SpeechFeatures`.
    hidden_size : int
    dilations : list of int
        One residual block for each; they set how far the encoder hears (`SpeechEncoder.margin`).
    kernel_size : int
    num_lips : int
        Lip controls that the training's second head predicts.
    phones : list of str
        IPA symbols that the encoder tells apart; empty for a pause.
    dropout : float
        Share of the blocks' inner activations left out in training.
    """

    model_type = "animate_speech_encoder"

    def __init__(
        self,
        num_features: int = 44,
        hidden_size: int = 192,
        dilations: tuple[int, ...] = (1, 1, 2, 2, 1, 1),
        kernel_size: int = 7,
        num_lips: int = 14,
        phones: tuple[str, ...] = ("",),
        dropout: float = 0.1,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.num_features = num_features
        self.hidden_size = hidden_size
        self.dilations = list(dilations)
        self.kernel_size = kernel_size
        self.num_lips = num_lips
        self.phones = list(phones)
        self.dropout = dropout


@dataclass
class SpeechEncoderOutput(ModelOutput):
    """Condition vectors [B, T, hidden_size], a guess at lip controls [B, T, num_lips], logits of phones [B, T, P]."""

    last_hidden_state: Tensor | None = None
    lips: Tensor | None = None
    phones: Tensor | None = None


class ConvBlock(nn.Module):
    """A residual block of depthwise convolution in time and a pointwise MLP (ConvNeXt, Liu et al. 2022)."""

    def __init__(self, size: int, kernel_size: int, dilation: int, dropout: float):
        super().__init__()
        padding = kernel_size // 2 * dilation
        self.mix_time = nn.Conv1d(size, size, kernel_size, padding=padding, dilation=dilation, groups=size)
        self.norm = nn.LayerNorm(size)
        self.mlp = nn.Sequential(nn.Linear(size, 2 * size), nn.GELU(), nn.Dropout(dropout), nn.Linear(2 * size, size))

    def forward(self, hidden: Tensor) -> Tensor:
        """Return [B, T, size] for [B, T, size]."""
        mixed = self.mix_time(hidden.transpose(1, 2)).transpose(1, 2)
        return hidden + self.mlp(self.norm(mixed))


class SpeechEncoder(PreTrainedModel):
    """A stack of convolutions that hears about half a second to either side of each frame.

    A frame's output depends on the `margin` frames around it and on nothing else, so that speech of any length can
    be encoded piece by piece with equal results.
    """

    config_class = SpeechEncoderConfig
    main_input_name = "features"

    def __init__(self, config: SpeechEncoderConfig):
        super().__init__(config)
        self.project = nn.Linear(config.num_features, config.hidden_size)
        self.blocks = nn.ModuleList(
            ConvBlock(config.hidden_size, config.kernel_size, dilation, config.dropout) for dilation in config.dilations
        )
        self.norm = nn.LayerNorm(config.hidden_size)
        self.lip_head = nn.Linear(config.hidden_size, config.num_lips)
        self.phone_head = nn.Linear(config.hidden_size, len(config.phones))
        self.post_init()

    @property
    def margin(self) -> int:
        """Frames to either side that a frame hears."""
        return self.config.kernel_size // 2 * sum(self.config.dilations)

    def forward(self, features: Tensor, **kwargs) -> SpeechEncoderOutput:
        """Encode features float [B, T, num_features]."""
        hidden = self.project(features)
        for block in self.blocks:
            hidden = block(hidden)
        hidden = self.norm(hidden)
        return SpeechEncoderOutput(hidden, self.lip_head(hidden), self.phone_head(hidden))

    @torch.no_grad()
    def listen(self, features: Tensor, start: int, stop: int) -> tuple[Tensor, Tensor]:
        """Return condition vectors [stop - start, hidden_size] of a recording's features [T, num_features], and the
        probabilities of the phones [stop - start, P].

        Beyond both ends of the recording there is silence.
        """
        left, right = start - self.margin, stop + self.margin
        heard = features[max(0, left) : max(0, min(len(features), right))]
        padding = (0, 0, max(0, -left), right - left - len(heard) - max(0, -left))
        heard = nn.functional.pad(heard.to(self.device, self.dtype), padding)
        output = self(heard[None])
        inner = slice(self.margin, self.margin + stop - start)
        return output.last_hidden_state[0, inner], output.phones[0, inner].softmax(dim=-1)
