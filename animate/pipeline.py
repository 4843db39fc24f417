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
import logging
from dataclasses import dataclass, field, fields, replace
from functools import lru_cache
from pathlib import Path

import numpy as np

from animate import __version__, media, provenance
from animate.clock import frame_rate, num_frames
from animate.config import RenderConfig, load_config
from animate.media import read_voice
from animate.portrait import read_portrait
from animate.resources import shipped
from animate.types import Consent, MarkedFrames, Motion, Portrait, Speech, Verdict

__all__ = ["Animator", "Clip", "generate_motion", "read_portrait", "read_voice", "render", "verify"]

PathLike = str | Path
_log = logging.getLogger(__name__)


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
        portrait = portrait if isinstance(portrait, Portrait) else read_portrait(portrait)
        speech = voice if isinstance(voice, Speech) else read_voice(voice)
        consent = resolve_consent(portrait, consent)
        examine(portrait, allow_marked)
        motion = generate_motion(speech, model=self.model, config=config, progress=progress)
        return Clip(portrait, motion, speech, config, consent, allow_marked)


@dataclass(frozen=True, eq=False)
class Clip:
    """A performance that can be rendered: portrait, motion, voice and how to render them."""

    portrait: Portrait
    motion: Motion
    speech: Speech | None
    config: RenderConfig
    consent: Consent = field(default_factory=Consent)
    allow_marked: bool = False

    def frames(self) -> MarkedFrames:
        """Return the marked frames: a stream that can be iterated again and again."""
        return render(
            self.portrait,
            self.motion,
            fps=self.config.fps,
            consent=self.consent,
            allow_marked=self.allow_marked,
            mark_strength=self.config.mark_strength,
            label=self.config.label,
        )

    def save(self, path: PathLike, progress: bool = False) -> Path:
        """Write an mp4 with the voice, signed and noted in the record; nothing is left behind if that fails.

        Raises
        ------
        MediaError, ProvenanceError
            If the file cannot be written, signed or noted.
        """
        return media.write_video(
            path,
            self.frames(),
            self.speech,
            crf=self.config.crf,
            preset=self.config.encoder_preset,
            progress=progress,
        )

    def with_motion(self, motion: Motion) -> Clip:
        """Return the same clip with another motion, for instance an edited one."""
        return replace(self, motion=motion)


def generate_motion(
    speech: Speech, *, model=None, config: RenderConfig | None = None, progress: bool = False, **overrides
) -> Motion:
    """Return what a face does while it says `speech`.

    Parameters
    ----------
    speech : Speech
    model : AudioToMotionPipeline, optional
        The shipped checkpoint by default, loaded anew; pass a loaded one to make many.
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
        guidance=guidance,
        duration_s=speech.duration_s,
        seed=config.seed,
        num_inference_steps=config.num_inference_steps,
        progress=progress,
    )


def _with_overrides(config: RenderConfig | None, overrides: dict) -> RenderConfig:
    given = {} if config is None else vars(config)
    return load_config(RenderConfig, overrides={**given, **overrides})


def render(
    portrait: Portrait,
    motion: Motion,
    *,
    fps: float | str = RenderConfig.fps,
    mark_id: str | None = None,
    consent: str | Consent | None = None,
    allow_marked: bool = False,
    mark_strength: str = RenderConfig.mark_strength,
    label: str = RenderConfig.label,
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
    consent, allow_marked
        As for `Animator`.
    mark_strength, label : str
        As in `RenderConfig`.

    Returns
    -------
    MarkedFrames
        A stream: frames are drawn as they are taken and never kept.

    Raises
    ------
    ProvenanceError
        If the consent makes no sense.
    RefusalError
        If the portrait is explicit, or marked and not allowed.
    """
    consent = resolve_consent(portrait, consent)
    findings = examine(portrait, allow_marked)
    from animate.renderer import MeshRenderer

    rate = frame_rate(fps)
    renderer = MeshRenderer(portrait)
    shows_label = label == "always" or consent.basis == "undeclared"
    dressed = provenance.labelled if shows_label else iter
    return provenance.mark(
        lambda: dressed(renderer.frames(motion.resampled(rate))),
        still=portrait.image,
        fps=rate,
        num_frames=num_frames(motion.duration_s, rate),
        mark_id=mark_id or _content_id(portrait.image, motion.values),
        strength=mark_strength,
        origin=provenance.Origin(
            portrait_sha256=portrait_sha256(portrait),
            consent=consent,
            source_mark_id=findings.source_mark_id,
            guard={"explicit": findings.explicit},
        ),
    )


def resolve_consent(portrait: Portrait, consent: str | Consent | None) -> Consent:
    """Return the consent that counts for a portrait, and remember it if it is declared.

    Raises
    ------
    ProvenanceError
        If the word is unknown, or a permission lacks its reference.
    """
    sha256 = portrait_sha256(portrait)
    if consent is not None:
        consent = provenance.parse_consent(consent)
        if consent.basis != "undeclared":
            provenance.remember(sha256, consent)
        return consent
    if (before := provenance.remembered(sha256)) is not None:
        return before
    _log.warning(
        "No consent was declared for %s, so the video carries a visible label. Say consent='self', "
        "'permission:REFERENCE', 'public-domain', 'historical' or 'fictional'.",
        portrait.name,
    )
    return Consent()


@lru_cache(maxsize=4)  # a clip asks at its start and for each pass over its frames
def examine(portrait: Portrait, allow_marked: bool = False) -> provenance.Findings:
    """Check a portrait before anything is rendered.

    Raises
    ------
    RefusalError
        If the portrait is explicit, marked and not allowed, or cannot be checked.
    """
    return provenance.examine(portrait.image, portrait_sha256(portrait), allow_marked=allow_marked)


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


def portrait_sha256(portrait: Portrait) -> str:
    """Return the hash of a portrait's file, or of its pixels if it was made in memory."""
    shape = str(portrait.image.shape).encode()
    return portrait.sha256 or hashlib.sha256(shape + np.ascontiguousarray(portrait.image).tobytes()).hexdigest()


def _content_id(*arrays: np.ndarray) -> str:
    """Return 48 bits that stand for these inputs and this version, as 12 hex digits."""
    digest = hashlib.blake2b(__version__.encode(), digest_size=6)
    for array in arrays:
        digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()
