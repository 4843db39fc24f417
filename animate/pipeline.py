"""The product: a portrait and a voice become a motion, frames, marked frames and a file.

`Animator` is the whole way in one call. The same stages by hand:

>>> from animate import pipeline
>>> portrait = pipeline.read_portrait("ada.jpg")            # doctest: +SKIP
>>> voice = pipeline.read_voice("line.wav")                 # doctest: +SKIP
>>> motion = pipeline.generate_motion(voice, seed=7)        # doctest: +SKIP
>>> frames = pipeline.render(portrait, motion, fps=25)      # doctest: +SKIP

Only marked frames leave this module.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field, fields, replace
from pathlib import Path

import numpy as np

from animate import __version__, media, provenance
from animate.camera import shoot
from animate.clock import frame_rate, num_frames
from animate.config import RenderConfig, load_config
from animate.errors import ConfigError
from animate.media import read_voice
from animate.motion.direction import Direction, needs_words, read_direction
from animate.portrait import read_portrait
from animate.resources import shipped
from animate.rights import examine, portrait_sha256, resolve_consent, restored_steps, visible_label
from animate.types import Consent, MarkedFrames, Motion, Portrait, Signer, Speech, Verdict

__all__ = [
    "Animator", "Clip", "generate_motion", "perform", "read_portrait", "read_scene", "read_voice", "render", "verify",
]  # fmt: skip

PathLike = str | Path
# Settings that `render` takes
_SHOWN = ("fps", "size", "crop", "alpha", "mark_strength", "label", "label_language", "label_text", "label_font")


class Animator:
    """A motion model, ready to make portraits speak.

    Examples
    --------
    >>> animator = Animator.from_pretrained()                           # doctest: +SKIP
    >>> animator("ada.jpg", "line.wav", seed=7).save("ada.mp4")         # doctest: +SKIP
    """

    def __init__(self, model):
        self.model = model

    @classmethod
    def from_pretrained(cls, checkpoint: PathLike | None = None, device: str = "cpu") -> Animator:
        """Load a checkpoint folder; the shipped one by default.

        Raises
        ------
        CheckpointError
            If the folder is missing, incomplete or of another kind.
        """
        from animate.motion import load_pipeline

        return cls(load_pipeline(checkpoint or shipped("checkpoints/base"), device=device))

    def __call__(
        self,
        portrait: PathLike | Portrait,
        voice: PathLike | Speech,
        *,
        direction: PathLike | Direction | None = None,
        transcript: str | None = None,
        consent: str | Consent | None = None,
        allow_marked: bool = False,
        config: RenderConfig | None = None,
        progress: bool = False,
        **overrides,
    ) -> Clip:
        """Make a portrait speak.

        Parameters
        ----------
        portrait : path or Portrait
        voice : path or Speech
            Any audio or video file that ffmpeg reads.
        direction : path or Direction, optional
            What happens when.
        transcript : str, optional
            What is said, in English, for a direction file with keys on words (needs the extra ``[align]``).
        consent : str or Consent, optional
            By what right: "self", "permission:REFERENCE", "public-domain", "historical", "fictional" or
            "undeclared". If omitted, what was declared for this portrait before; else undeclared, with a warning
            and a visible label.
        allow_marked : bool
            Accept a portrait that came out of this engine.
        config : RenderConfig, optional
        progress : bool
            Show a progress bar on stderr.
        **overrides
            Fields of `RenderConfig`, such as ``seed=7`` or ``fps=24``.

        Returns
        -------
        Clip
            Nothing is rendered until its frames are asked for.

        Raises
        ------
        PortraitError, VoiceError, ConfigError
        ProvenanceError
            If the consent makes no sense.
        RefusalError
            If the portrait is explicit, or marked and not allowed.
        """
        config = _with_overrides(config, overrides)
        speech = voice if isinstance(voice, Speech) else read_voice(voice)
        direction = read_scene(direction, speech, transcript)
        portrait = portrait if isinstance(portrait, Portrait) else read_portrait(portrait)
        consent = resolve_consent(portrait, consent)
        examine(portrait, allow_marked)
        motion = generate_motion(speech, model=self.model, direction=direction, config=config, progress=progress)
        return Clip(portrait, motion, speech, config, direction, consent, allow_marked)


def perform(
    portrait: Portrait,
    motion: Motion,
    speech: Speech | None = None,
    *,
    direction: Direction | None = None,
    consent: str | Consent | None = None,
    allow_marked: bool = False,
    config: RenderConfig | None = None,
) -> Clip:
    """Return a clip of a portrait that performs a motion you have, with a voice or without.

    Parameters
    ----------
    portrait : Portrait
    motion : Motion
    speech : Speech, optional
        The sound track.
    direction : Direction, optional
        Only its camera is followed.
    consent, allow_marked
        As for `Animator`.
    config : RenderConfig, optional

    Raises
    ------
    ProvenanceError, RefusalError
        As for `Animator`.
    """
    consent = resolve_consent(portrait, consent)
    examine(portrait, allow_marked)
    return Clip(portrait, motion, speech, config or RenderConfig(), direction, consent, allow_marked)


@dataclass(frozen=True, eq=False)
class Clip:
    """A performance that can be rendered: portrait, motion, voice and how to render them.

    The motion is as directed already; of `direction` only the camera matters here.
    """

    portrait: Portrait
    motion: Motion
    speech: Speech | None
    config: RenderConfig
    direction: Direction | None = None
    consent: Consent = field(default_factory=Consent)
    allow_marked: bool = False

    def frames(self) -> MarkedFrames:
        """Return the marked frames: a stream that can be iterated again and again."""
        return render(
            self.portrait,
            self.motion,
            direction=self.direction,
            consent=self.consent,
            allow_marked=self.allow_marked,
            **{name: getattr(self.config, name) for name in _SHOWN},
        )

    def save(self, *paths: PathLike, signer: Signer | None = None, progress: bool = False) -> Path:
        """Write one or more files in one pass, signed and noted in the record; nothing is left behind if that fails.

        Parameters
        ----------
        *paths : path
            Their suffixes say what they are: `animate.media.write_videos` lists them.
        signer : Signer, optional
            Who signs, instead of the key of this user.
        progress : bool
            Show a progress bar on stderr.

        Returns
        -------
        Path
            The first.

        Raises
        ------
        MediaError, ProvenanceError
            If a file cannot be written, signed or noted.
        """
        encoding = media.Encoding.of(self.config)
        media.check_targets(paths, encoding, self.config.alpha)
        frames = self.frames().signed_by(signer)
        return media.write_videos(paths, frames, self.speech, encoding, progress=progress)[0]

    def with_motion(self, motion: Motion) -> Clip:
        """Return the same clip with another motion, for instance an edited one."""
        return replace(self, motion=motion)


def generate_motion(
    speech: Speech,
    *,
    model=None,
    direction: Direction | None = None,
    config: RenderConfig | None = None,
    progress: bool = False,
    **overrides,
) -> Motion:
    """Return what a face does while it says `speech`.

    Parameters
    ----------
    speech : Speech
    model : AudioToMotionPipeline, optional
        The shipped checkpoint by default, loaded anew; pass a loaded one to make many.
    direction : Direction, optional
        What happens when; wins over the settings.
    config : RenderConfig, optional
    progress : bool
        Show a progress bar on stderr.
    **overrides
        Fields of `RenderConfig`, such as ``seed=7``, ``emotion="happy:0.6"`` or ``head_motion=0.5``.

    Returns
    -------
    Motion
        As long as the voice.

    Raises
    ------
    ConfigError
        If a setting is unknown or out of range.
    VoiceError
        If there is no sound at all.
    """
    from animate.motion.acting import Acting, Guidance
    from animate.speech import extract_features

    config = _with_overrides(config, overrides)
    acting = Acting(**{part.name: getattr(config, part.name) for part in fields(Acting)})
    guidance = Guidance(config.guidance_scale, config.emotion_guidance_scale, config.style_guidance_scale)
    model = model or Animator.from_pretrained().model
    return model(
        extract_features(speech),
        acting=acting,
        direction=direction,
        guidance=guidance,
        duration_s=speech.duration_s,
        seed=config.seed,
        num_inference_steps=config.num_inference_steps,
        progress=progress,
    )


def _with_overrides(config: RenderConfig | None, overrides: dict) -> RenderConfig:
    given = {} if config is None else vars(config)
    return load_config(RenderConfig, overrides={**given, **overrides})


def read_scene(
    direction: PathLike | Direction | None, speech: Speech | None = None, transcript: str | None = None
) -> Direction | None:
    """Return a direction, read from its file if need be, with keys on words in seconds.

    Parameters
    ----------
    direction : path or Direction, optional
    speech : Speech, optional
    transcript : str, optional
        What is said in it, in English, for keys on words; they need the extra ``[align]``.

    Raises
    ------
    ConfigError
        If the direction is wrong, or a transcript is given where none can be used.
    VoiceError
        If the transcript does not fit the voice.
    """
    if transcript is not None and (speech is None or not isinstance(direction, PathLike)):
        raise ConfigError("A transcript is for the words of a direction file in a voice. Give both, or leave it out.")
    if not isinstance(direction, PathLike):
        return direction
    from animate.speech import align_words

    aligned = transcript is not None and needs_words(direction)
    return read_direction(direction, align_words(speech, transcript) if aligned else None)


def render(
    portrait: Portrait,
    motion: Motion,
    *,
    fps: float | str = RenderConfig.fps,
    mark_id: str | None = None,
    direction: Direction | None = None,
    consent: str | Consent | None = None,
    allow_marked: bool = False,
    size: int | str = RenderConfig.size,
    crop: str | int = RenderConfig.crop,
    alpha: bool = RenderConfig.alpha,
    mark_strength: str = RenderConfig.mark_strength,
    label: str = RenderConfig.label,
    label_language: str = RenderConfig.label_language,
    label_text: str = RenderConfig.label_text,
    label_font: str = RenderConfig.label_font,
) -> MarkedFrames:
    """Return the marked frames of a portrait that performs a motion.

    Parameters
    ----------
    portrait : Portrait
    motion : Motion
    fps : float or str
        Frame rate of the output.
    mark_id : str, optional
        12 hex digits to carry in the mark; by default made from the inputs, so that equal inputs give equal frames.
    direction : Direction, optional
        Its camera tracks are followed; the rest belongs to the motion.
    consent, allow_marked
        As for `Animator`.
    size, crop, alpha, mark_strength, label, label_language, label_text, label_font
        As in `RenderConfig`.

    Returns
    -------
    MarkedFrames
        A stream: frames are drawn as they are taken and never kept.

    Raises
    ------
    ConfigError
        If crop and size do not go together.
    ProvenanceError
        If the consent makes no sense, or the label cannot be drawn.
    RefusalError
        If the portrait is explicit, or marked and not allowed.
    """
    consent = resolve_consent(portrait, consent)
    findings = examine(portrait, allow_marked)
    words = visible_label(consent, label, label_language, label_font, label_text)
    from animate.renderer import MeshRenderer

    rate = frame_rate(fps)
    renderer, count = MeshRenderer(portrait, cutout=alpha), num_frames(motion.duration_s, rate)
    shot = shoot(portrait, renderer, motion, np.arange(count) / float(rate), direction, crop=crop, size=size)

    def frames() -> Iterator[np.ndarray]:
        seen = shot.frames(renderer.frames(motion.resampled(rate)))
        return provenance.labelled(seen, words, shot.person) if words else seen

    return provenance.mark(
        frames,
        still=shot.still,
        fps=rate,
        num_frames=count,
        mark_id=mark_id or content_id(portrait.image, motion.values, *shot.changes),
        strength=mark_strength,
        origin=provenance.Origin(
            portrait_sha256=portrait_sha256(portrait),
            consent=consent,
            source_mark_id=findings.source_mark_id,
            restored=restored_steps(portrait),
            guard={"explicit": findings.explicit},
        ),
    )


def verify(path: PathLike, *, deep: bool = False) -> Verdict:
    """Say whether a picture or a video was made by this library, by its mark and by its signed credentials.

    Parameters
    ----------
    path : path
        Any picture or video file.
    deep : bool
        Also search rotated and squeezed versions; slower.

    Raises
    ------
    MediaError
        If the file cannot be decoded.
    """
    verdict = provenance.detect(media.read_frames(path, max_frames=provenance.MAX_FRAMES), deep=deep)
    return replace(verdict, credentials=provenance.read_credentials(path))


def content_id(*arrays: np.ndarray) -> str:
    """Return 48 bits that stand for these inputs and this version, as 12 hex digits."""
    digest = hashlib.blake2b(__version__.encode(), digest_size=6)
    for array in arrays:
        digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()
