"""Speech features become motion: a flow-matching sampler over overlapping windows, of any length."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import torch
from diffusers import DiffusionPipeline, FlowMatchEulerDiscreteScheduler
from torch import Tensor
from tqdm import tqdm
from transformers.utils import logging

from animate.clock import num_frames
from animate.errors import CheckpointError, ConfigError
from animate.motion import contacts
from animate.motion.acting import Acting, Finisher, Guidance, Manner
from animate.motion.denoiser import NUM_CONDITIONS, MotionDenoiser
from animate.motion.direction import Direction
from animate.motion.encoder import SpeechEncoder
from animate.motion.latents import NUM_LIP_LATENTS
from animate.types import Motion, SpeechFeatures

WINDOW = 140  # frames generated together, 2.8 s
CONTEXT = 20  # of them, decided before and given as they are
OVERLAP = 20  # of them, generated again by the next window and cross-faded
STREAM_WINDOW, STREAM_OVERLAP = 70, 10  # while the voice is arriving

# Scale of the starting noise. The voice decides what lips do, and noise only blurs it. Head, eyes and brows lose part
# of their spread to the few steps: at 1.6 held-out voices turn the head by 2.2 degrees (standard deviation of yaw; 1.6
# at 1; measured in people: 2.3). Blinks come too often at that, and 30 a minute at 1.05.
_LIP_TEMPERATURE = 0.0
_LIFE_TEMPERATURE = 1.6
_BLINK_TEMPERATURE = 1.05


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
        acting: Acting | None = None,
        direction: Direction | None = None,
        guidance: Guidance | None = None,
        seed: int = 0,
        num_inference_steps: int = 6,
        duration_s: float | None = None,
        progress: bool = False,
    ) -> Motion:
        """Generate the motion of a whole recording.

        Parameters
        ----------
        features : SpeechFeatures
            From `animate.speech.extract_features`.
        acting : Acting, optional
            Emotion and manner.
        direction : Direction, optional
            What happens when; wins over `acting`.
        guidance : Guidance, optional
            Weights of voice, emotion and style.
        seed : int
            The same seed gives the same motion.
        num_inference_steps : int
            Euler steps of the flow.
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
        heard = np.zeros((length, features.values.shape[1]), np.float32)
        heard[: len(features.values)] = features.values[:length]
        blocks = self.stream(
            [SpeechFeatures(heard, features.fps)],
            acting=acting,
            direction=direction,
            guidance=guidance,
            seed=seed,
            num_inference_steps=num_inference_steps,
            window=WINDOW,
            overlap=OVERLAP,
        )
        values = []
        with tqdm(total=length, unit="frame", desc="motion", disable=not progress) as bar:
            for block in blocks:
                values.append(block.values)
                bar.update(len(block))
        return Motion(np.concatenate(values), features.fps, duration_s or length / features.fps)

    @torch.no_grad()
    def stream(
        self,
        chunks: Iterable[SpeechFeatures],
        *,
        acting: Acting | None = None,
        direction: Direction | None = None,
        guidance: Guidance | None = None,
        seed: int = 0,
        num_inference_steps: int = 6,
        window: int = STREAM_WINDOW,
        overlap: int = STREAM_OVERLAP,
    ) -> Iterator[Motion]:
        """Generate motion while the voice is still arriving.

        A block is given out as soon as the voice is known `window` - `CONTEXT` frames from its beginning and the
        encoder's margin beyond: 1.5 s at the defaults. Memory does not grow.

        Parameters
        ----------
        chunks : iterable of SpeechFeatures
            Consecutive pieces of any length (`animate.speech.stream_features`).
        window, overlap : int
            Frames generated together, and of them those generated again by the next window. Larger windows know more
            of what comes and are later.

        Yields
        ------
        Motion
            Consecutive blocks; together they are as long as the chunks.
        """
        acting, direction = acting or Acting(), direction or Direction()
        ears, manner = _Ears(iter(chunks), self.speech_encoder.margin), Manner(acting, direction)
        finisher = Finisher(acting, dict(self.denoiser.config.latents), direction)
        for controls in self._windows(ears, manner, guidance or Guidance(), seed, num_inference_steps, window, overlap):
            channels = finisher.channels(controls, ears.fps)
            if len(channels):
                yield Motion(channels, ears.fps)
        rest = finisher.channels(np.empty((0, len(self.denoiser.config.latents)), np.float32), ears.fps, last=True)
        if len(rest):
            yield Motion(rest, ears.fps)

    def _windows(
        self, ears: _Ears, manner: Manner, guidance: Guidance, seed: int, steps: int, window: int, overlap: int
    ) -> Iterator[np.ndarray]:
        """Yield controls float32 [k, L], window after window, each cross-faded with the one before."""
        noise = _NoiseStream(self.denoiser.config, seed)
        places = {name: place for place, (name, _) in enumerate(self.denoiser.config.latents)}
        start, context, tail, gone = 0, noise.empty(), noise.empty(), np.empty((0, 3), np.float32)
        while True:
            begin = start - len(context)
            stop = ears.hear(begin + window)
            if stop <= start:
                return
            voice, phones = self.speech_encoder.listen(ears.features, begin - ears.first, stop - ears.first)
            emotion, style = manner.conditions(ears.between(begin, stop), begin, ears.fps)
            condition = self._condition(voice, emotion, style, guidance)
            new = self._perform(condition, context, noise.frames(start, stop), steps, guidance)
            shared = min(len(tail), len(new))
            fade = torch.linspace(0, 1, shared + 2)[1:-1, None]
            new[:shared] = torch.lerp(tail[:shared], new[:shared], fade)
            done = ears.ended and stop == ears.length
            kept = len(new) if done else len(new) - overlap
            sure = contacts.evidence(phones.float().cpu().numpy(), self.speech_encoder.config.phones)
            sure = sure[start - begin :]
            sure[:shared] += (1 - fade.numpy()) * (gone[:shared] - sure[:shared])
            yield contacts.carry_out(self._denormalised(new[:kept]), sure[:kept], places)
            if done:
                return
            start, tail, gone = start + kept, new[kept:], sure[kept:]
            context = torch.cat([context, new[:kept]])[-CONTEXT:]

    def _condition(self, voice: Tensor, emotion: np.ndarray, style: np.ndarray, guidance: Guidance) -> Tensor:
        """Return conditions [1 + G, T, hidden]: with everything, then without each thing that has a weight."""
        device, dtype = self.speech_encoder.device, self.speech_encoder.dtype
        parts = [voice, *(torch.from_numpy(array).to(device, dtype) for array in (emotion, style))]
        kept = torch.ones(1 + len(guidance.weights), NUM_CONDITIONS, dtype=torch.bool, device=device)
        for row, place in enumerate(guidance.weights, start=1):
            kept[row, place] = False
        return self.denoiser.embed(*(part.expand(len(kept), -1, -1) for part in parts), kept)

    def _perform(
        self, conditions: Tensor, context: Tensor, noise: Tensor, num_inference_steps: int, guidance: Guidance
    ) -> Tensor:
        """Return normalised controls [T, L] of the new frames of a window: those that are not context."""
        known = len(context)
        steps = np.linspace(1, 1 / num_inference_steps, num_inference_steps)
        self.scheduler.set_timesteps(sigmas=steps.tolist(), device=conditions.device)
        context, sample = context.to(conditions), noise.to(conditions)
        for timestep, level in zip(self.scheduler.timesteps, self.scheduler.sigmas, strict=False):
            levels = torch.cat([torch.zeros_like(conditions[0, :known, 0]), level.to(sample).expand(len(sample))])
            window = torch.cat([context, sample]).expand(len(conditions), -1, -1)
            clean, *without = self.denoiser(window, levels.expand(len(conditions), -1), conditions)[:, known:]
            for weight, left_out in zip(guidance.weights.values(), without, strict=True):
                clean = clean + (weight - 1) * (clean - left_out)
            velocity = (sample - clean) / level.to(sample)  # of the straight path from motion to noise
            sample = self.scheduler.step(velocity, timestep, sample).prev_sample
        return sample.float().cpu()

    def _denormalised(self, controls: Tensor) -> np.ndarray:
        config = self.denoiser.config
        return controls.numpy() * np.array(config.scale, np.float32) + np.array(config.mean, np.float32)


class _Ears:
    """What has been heard of a voice that may still be arriving; forgets what no later window needs.

    Attributes
    ----------
    features : float32 [n, D]
        Tensor; row 0 is frame `first`.
    ended : bool
        True when the voice is known to its end, at frame `length`.
    """

    def __init__(self, chunks: Iterator[SpeechFeatures], margin: int):
        self._chunks, self._margin = chunks, margin
        self.features, self.first = torch.empty(0, 0), 0
        self.ended, self.fps = False, 0.0

    @property
    def length(self) -> int:
        """Frames heard so far."""
        return self.first + len(self.features)

    def hear(self, stop: int) -> int:
        """Listen until frame `stop` and the margin after it are known; return the frame up to which that is so."""
        while not self.ended and self.length < stop + self._margin:
            chunk = next(self._chunks, None)
            if chunk is None:
                self.ended = True
            else:
                self.fps = chunk.fps
                fresh = torch.from_numpy(np.ascontiguousarray(chunk.values, dtype=np.float32))
                self.features = torch.cat([self.features, fresh]) if len(self.features) else fresh
        return min(stop, self.length) if self.ended else stop

    def between(self, start: int, stop: int) -> np.ndarray:
        """Return the features of some frames, and forget those too far before them."""
        values = self.features[start - self.first : stop - self.first].numpy()
        keep_from = max(self.first, start - self._margin)
        self.features, self.first = self.features[keep_from - self.first :], keep_from
        return values


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
        self.scale[[name for name, _ in config.latents].index("eyeBlink")] = _BLINK_TEMPERATURE
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
    ConfigError
        If the device is unknown or absent.

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
    shows_bars = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()  # of transformers, for files that load in a moment
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
    finally:
        if shows_bars:
            logging.enable_progress_bar()
    if wrong := [*encoder_report["missing_keys"], *denoiser_report["missing_keys"]]:
        raise CheckpointError(
            f"The checkpoint {folder} was made by another version: it lacks {len(wrong)} tensors, such as "
            f"{min(wrong)}. Use the one that came with this version."
        )
    pipeline = AudioToMotionPipeline(encoder.eval(), denoiser.eval(), scheduler)
    try:
        return pipeline.to(device)
    except (RuntimeError, AssertionError) as error:  # torch says in either way that it was built without CUDA
        reason = str(error).splitlines()[0].rstrip(".")
        raise ConfigError(f"The device {device!r} cannot be used here: {reason}. Use cpu.") from None
