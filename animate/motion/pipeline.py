"""Speech features become motion: a flow-matching sampler over overlapping windows, of any length."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from diffusers import DiffusionPipeline, FlowMatchEulerDiscreteScheduler
from torch import Tensor
from tqdm import tqdm

from animate.clock import num_frames
from animate.errors import CheckpointError
from animate.motion.denoiser import MotionDenoiser
from animate.motion.encoder import SpeechEncoder
from animate.motion.latents import NUM_LIP_LATENTS, to_channels
from animate.motion.lids import draw_blinks
from animate.types import Motion, SpeechFeatures

WINDOW = 140  # frames generated together, 2.8 s
CONTEXT = 20  # of them, decided before and given as they are
OVERLAP = 20  # of them, generated again by the next window and cross-faded

# Scale of the starting noise. The voice decides what lips do, and noise only blurs it: on held-out voices the lip
# gap's correlation with the teacher rose from 0.68 at 1 to 0.78 at 0. Head, eyes and brows lose a quarter of their
# spread to the few steps at 1, and have that of the training material at 1.3. (Measured in the first training.)
_LIP_TEMPERATURE = 0.0
_LIFE_TEMPERATURE = 1.3


class AudioToMotionPipeline(DiffusionPipeline):
    """Generate motion from speech.

    Parameters
    ----------
    speech_encoder : SpeechEncoder
    denoiser : MotionDenoiser
    scheduler : FlowMatchEulerDiscreteScheduler

    Examples
    --------
    >>> pipeline = load_pipeline("checkpoints/base")                   # doctest: +SKIP
    >>> motion = pipeline(extract_features(speech), seed=7)            # doctest: +SKIP
    """

    def __init__(
        self,
        speech_encoder: SpeechEncoder,
        denoiser: MotionDenoiser,
        scheduler: FlowMatchEulerDiscreteScheduler,
    ):
        super().__init__()
        self.register_modules(speech_encoder=speech_encoder, denoiser=denoiser, scheduler=scheduler)

    @torch.no_grad()
    def __call__(
        self,
        features: SpeechFeatures,
        *,
        seed: int = 0,
        num_inference_steps: int = 6,
        guidance_scale: float = 1.0,
        duration_s: float | None = None,
        progress: bool = False,
    ) -> Motion:
        """Generate the motion of a whole recording.

        Parameters
        ----------
        features : SpeechFeatures
            From `animate.speech.extract_features`.
        seed : int
            The same seed gives the same motion.
        num_inference_steps : int
            Euler steps of the flow.
        guidance_scale : float
            Weight of the voice (classifier-free guidance, Ho & Salimans 2022): 1 leaves it as learned, more
            exaggerates, 0 ignores it.
        duration_s : float, optional
            Exact length of the speech in seconds; by default that of the features.
        progress : bool
            Show a progress bar, counted in frames.

        Returns
        -------
        Motion
            At the rate of the features.
        """
        length = num_frames(duration_s or len(features.values) / features.fps, features.fps)
        heard = torch.from_numpy(np.ascontiguousarray(features.values, dtype=np.float32))
        noise = _NoiseStream(self.denoiser.config, seed)
        values = np.empty((length, len(self.denoiser.config.latents)), np.float32)
        start, context, tail = 0, noise.empty(), noise.empty()
        with tqdm(total=length, unit="frame", desc="motion", disable=not progress) as bar:
            while True:
                stop = min(start - len(context) + WINDOW, length)
                condition = self.speech_encoder.listen(heard, start - len(context), stop)
                window = self._perform(
                    condition, context, noise.frames(start, stop), num_inference_steps, guidance_scale
                )
                shared = min(len(tail), len(window))
                fade = torch.linspace(0, 1, shared + 2)[1:-1, None]
                window[:shared] = torch.lerp(tail[:shared], window[:shared], fade)
                kept = len(window) if stop == length else len(window) - OVERLAP
                values[start : start + kept] = self._denormalised(window[:kept])
                bar.update(kept)
                if stop == length:
                    break
                start, tail = start + kept, window[kept:]
                context = window[kept - CONTEXT : kept]
        latents = dict(self.denoiser.config.latents)
        lids = list(latents).index("eyeBlink")
        values[:, lids] = draw_blinks(values[:, lids], features.fps)
        channels = to_channels(values, latents)
        return Motion(channels, features.fps, duration_s or length / features.fps)

    def _perform(
        self, condition: Tensor, context: Tensor, noise: Tensor, num_inference_steps: int, guidance_scale: float
    ) -> Tensor:
        """Return normalised controls [T, L] of the new frames of a window: those that are not context."""
        known = len(context)
        steps = np.linspace(1, 1 / num_inference_steps, num_inference_steps)
        self.scheduler.set_timesteps(sigmas=steps.tolist(), device=condition.device)
        conditions = condition[None]
        if guidance_scale != 1:
            conditions = torch.stack([condition, self.denoiser.no_voice.expand_as(condition)])
        context, sample = context.to(condition), noise.to(condition)
        for timestep, level in zip(self.scheduler.timesteps, self.scheduler.sigmas, strict=False):
            levels = torch.cat([torch.zeros_like(condition[:known, 0]), level.to(condition).expand(len(sample))])
            window = torch.cat([context, sample]).expand(len(conditions), -1, -1)
            clean = self.denoiser(window, levels.expand(len(conditions), -1), conditions)[:, known:]
            clean = clean[0] if guidance_scale == 1 else torch.lerp(clean[1], clean[0], guidance_scale)
            velocity = (sample - clean) / level.to(condition)  # of the straight path from motion to noise
            sample = self.scheduler.step(velocity, timestep, sample).prev_sample
        return sample.float().cpu()

    def _denormalised(self, controls: Tensor) -> np.ndarray:
        config = self.denoiser.config
        return controls.numpy() * np.array(config.scale, np.float32) + np.array(config.mean, np.float32)


class _NoiseStream:
    """Endless noise from one seed: each control a first-order autoregression over frames, of unit variance.

    Correlated noise makes correlated motion in few steps, and a stream that goes on through the windows ties them
    together. Frames must be asked for in order; those of the last overlap can be asked for again.
    """

    def __init__(self, config, seed: int):
        self.generator = torch.Generator().manual_seed(seed)
        self.correlation = config.noise_correlation
        self.width = len(config.latents)
        self.scale = torch.full((self.width,), _LIFE_TEMPERATURE)
        self.scale[:NUM_LIP_LATENTS] = _LIP_TEMPERATURE
        self.begin, self.buffer = 0, self.empty()

    def empty(self) -> Tensor:
        """Return no frames: float32 [0, L]."""
        return torch.empty(0, self.width)

    def frames(self, start: int, stop: int) -> Tensor:
        """Return the noise of frames `start` to `stop`, float32 [stop - start, L]."""
        fresh = list(self.buffer[start - self.begin :])
        innovation = (1 - self.correlation**2) ** 0.5
        while len(fresh) < stop - start:
            draw = torch.randn(self.width, generator=self.generator)
            fresh.append(self.correlation * fresh[-1] + innovation * draw if fresh else draw)
        self.begin, self.buffer = start, torch.stack(fresh)
        return self.buffer * self.scale


_FILES = (
    "speech_encoder/config.json",
    "speech_encoder/model.safetensors",
    "denoiser/config.json",
    "denoiser/diffusion_pytorch_model.safetensors",
    "scheduler/scheduler_config.json",
)


def load_pipeline(path: str | Path, device: str = "cpu") -> AudioToMotionPipeline:
    """Load a checkpoint folder, offline and in float32.

    Raises
    ------
    CheckpointError
        If the folder or one of its files is missing, or it is a checkpoint of something else.

    Examples
    --------
    >>> pipeline = load_pipeline("checkpoints/base")                   # doctest: +SKIP
    """
    folder = Path(path)
    if not folder.is_dir():
        raise CheckpointError(f"There is no checkpoint folder {folder}. Pass the folder that holds model_index.json.")
    missing = [name for name in _FILES if not (folder / name).is_file()]
    if missing:
        raise CheckpointError(f"The checkpoint {folder} is incomplete: {', '.join(missing)} missing. Copy it again.")
    try:
        encoder, encoder_report = SpeechEncoder.from_pretrained(
            folder / "speech_encoder", local_files_only=True, dtype=torch.float32, output_loading_info=True
        )
        denoiser, denoiser_report = MotionDenoiser.from_pretrained(
            folder / "denoiser",
            local_files_only=True,
            torch_dtype=torch.float32,
            low_cpu_mem_usage=False,
            output_loading_info=True,
        )
        scheduler = FlowMatchEulerDiscreteScheduler.from_pretrained(folder / "scheduler", local_files_only=True)
    except Exception as error:  # whatever the two libraries raise: the folder is not what it should be
        raise CheckpointError(f"The checkpoint {folder} cannot be read: {error}") from error
    if wrong := [*encoder_report["missing_keys"], *denoiser_report["missing_keys"]]:
        raise CheckpointError(
            f"The checkpoint {folder} was made by another version: it lacks {len(wrong)} tensors, such as "
            f"{min(wrong)}. Use the one that came with this version."
        )
    pipeline = AudioToMotionPipeline(encoder.eval(), denoiser.eval(), scheduler)
    return pipeline.to(device)
