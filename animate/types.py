"""The data that passes between the stages; read this first, then `pipeline.py`.

All types are frozen: an edit returns a new object. Pictures are uint8 RGB with the origin at the top left,
x to the right and y down; sound is float32 in -1 to 1.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path

import numpy as np

from animate.channels import CHANNELS, INDEX
from animate.clock import frame_rate, num_frames
from animate.errors import MotionError


@dataclass(frozen=True)
class HeadPose:
    """How the head is turned in the picture, in degrees, with the signs of `animate.channels`."""

    pitch_deg: float = 0.0
    yaw_deg: float = 0.0
    roll_deg: float = 0.0


@dataclass(frozen=True, eq=False)
class FaceMesh:
    """A face in a picture, in the 478-point MediaPipe topology (468 of the skin, then 5 for each iris).

    Attributes
    ----------
    vertices : float32 [478, 3]
        Pixels; z on the scale of x, negative towards the viewer.
    triangles : int32 [F, 3]
        Vertex indices of the skin. The mouth and the eyes are holes.
    neutral : float32 [478, 3]
        The same face with the lips together: what all blendshapes at zero should show.
    pose : HeadPose
        The head's attitude in the picture.
    """

    vertices: np.ndarray
    triangles: np.ndarray
    neutral: np.ndarray
    pose: HeadPose = field(default_factory=HeadPose)

    @property
    def eye_distance(self) -> float:
        """Distance between the centres of the eyes in the picture, in pixels."""
        right, left = (self.vertices[list(corners), :2].mean(axis=0) for corners in ((33, 133), (362, 263)))
        return float(np.hypot(*(left - right)))


@dataclass(frozen=True)
class Treatment:
    """What a step of restoration did to a picture, or why it left it alone.

    Attributes
    ----------
    step : str
        One of `animate.portrait.restore.STEPS`.
    done : bool
        True if the picture was changed.
    words : str
        Plain words with what was measured.
    figures : dict
        The same measurements by name.
    """

    step: str
    done: bool
    words: str
    figures: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Portrait:
    """One still picture with the face that will move.

    Attributes
    ----------
    image : uint8 [H, W, 3]
        RGB at the picture's own size.
    face : FaceMesh
    matte : float32 [H, W]
        1 where the person is, 0 where the background is.
    name : str
        File name, for messages.
    sha256 : str
        Of the file as it was read; empty for pictures made in memory.
    in_front, behind : float32 [H, W] or None
        1 where other people are who stand before this one, or beside and behind; None where there are none.
    original : uint8 [H', W', 3] or None
        The picture as it was read, if `image` was restored: checks and consent are about this one.
    restoration : tuple of Treatment
        What restoration did and what it left; empty if there was none.
    file : Path or None
        Where it was read; its credentials are looked at before it is animated.
    """

    image: np.ndarray
    face: FaceMesh
    matte: np.ndarray
    name: str = "portrait"
    sha256: str = ""
    in_front: np.ndarray | None = None
    behind: np.ndarray | None = None
    original: np.ndarray | None = None
    restoration: tuple[Treatment, ...] = ()
    file: Path | None = None

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels."""
        return self.image.shape[1], self.image.shape[0]


@dataclass(frozen=True, eq=False)
class Speech:
    """A voice: float32 [N] mono samples in -1 to 1 at `sample_rate` Hz, as recorded (not normalised)."""

    samples: np.ndarray
    sample_rate: int
    name: str = "voice"
    sha256: str = ""

    @property
    def duration_s(self) -> float:
        """Length in seconds."""
        return len(self.samples) / self.sample_rate


@dataclass(frozen=True)
class Word:
    """A word of a voice, and when it is said, in seconds."""

    text: str
    start_s: float
    end_s: float


@dataclass(frozen=True, eq=False)
class SpeechFeatures:
    """What the motion model hears: float32 [T, D] at `fps` rows per second (`animate.speech.features`)."""

    values: np.ndarray
    fps: float


@dataclass(frozen=True, eq=False)
class Motion:
    """Named curves on one clock: what the face does.

    Attributes
    ----------
    values : float32 [T, C]
        Row t is the face at t / `fps` seconds; the columns are `animate.channels.CHANNELS`: 52 ARKit blendshapes
        (0-1) and six head channels (degrees and eye distances).
    fps : float
        Rows per second.
    duration_s : float
        Length in seconds; T / `fps` unless given (the rows sample it, so it may end between two of them).

    Raises
    ------
    MotionError
        If `values` is not [T >= 1, 58] or holds values that are not finite.

    Examples
    --------
    >>> motion = Motion.rest(duration_s=2.0, fps=50).with_channels(jawOpen=0.5)
    >>> motion.resampled(25).values.shape
    (50, 58)
    """

    values: np.ndarray
    fps: float
    duration_s: float = 0.0

    def __post_init__(self):
        values = np.asarray(self.values, np.float32)
        if values.ndim != 2 or values.shape[1] != len(CHANNELS) or not len(values):
            raise MotionError(f"A motion needs values of shape [T, {len(CHANNELS)}]; got {list(values.shape)}.")
        if not np.isfinite(values).all():
            raise MotionError("A motion holds values that are not finite numbers.")
        object.__setattr__(self, "values", values)
        object.__setattr__(self, "duration_s", self.duration_s or len(values) / self.fps)

    def __len__(self) -> int:
        return len(self.values)

    def __getitem__(self, channel: str) -> np.ndarray:
        """Return the curve of one channel, float32 [T]."""
        if channel not in INDEX:
            raise MotionError(f"There is no channel {channel!r}. The channels are listed in animate.channels.")
        return self.values[:, INDEX[channel]]

    @classmethod
    def rest(cls, duration_s: float, fps: float) -> Motion:
        """Return a motion in which nothing moves."""
        return cls(np.zeros((num_frames(duration_s, fps), len(CHANNELS)), np.float32), fps, duration_s)

    def with_channels(self, **curves: float | np.ndarray) -> Motion:
        """Return a copy with some channels replaced, each by one value or by float [T]."""
        values = self.values.copy()
        for name, curve in curves.items():
            self[name]  # raises on an unknown name
            values[:, INDEX[name]] = curve
        return replace(self, values=values)

    def resampled(self, fps: float | str | Fraction) -> Motion:
        """Return the same motion at another frame rate, of the same duration to within half a frame."""
        target = frame_rate(fps)
        times = np.arange(num_frames(self.duration_s, target)) / float(target)
        knots = np.arange(len(self)) / self.fps
        values = np.stack([np.interp(times, knots, curve) for curve in self.values.T], axis=1)  # [T, C]
        return Motion(values, float(target), self.duration_s)


class MarkedFrames(ABC):
    """A stream of frames that carry the watermark; the only thing `animate.media` writes.

    Only `animate.provenance` implements it, so that an unmarked output is a type error. Iterating yields
    uint8 [H, W, 3] RGB frames, or [H, W, 4] with a straight (not premultiplied) alpha last; a fresh pass each time.
    """

    size: tuple[int, int]  # width, height in pixels
    fps: Fraction
    num_frames: int
    mark_id: str  # 12 hex digits, the 48-bit id in the mark
    has_alpha: bool = False  # transparent where the background was

    @abstractmethod
    def __iter__(self) -> Iterator[np.ndarray]: ...

    def seal(self, file: Path, speech: Speech | None = None) -> Path | None:
        """Make a finished file, or a folder of pictures, say where it comes from.

        `animate.media` calls it last, before the file is seen. Does nothing here; `animate.provenance` signs the file
        and notes it in the record.

        Returns
        -------
        Path or None
            A file that must go with it, under its name with the suffix .c2pa, where the format cannot hold the
            signature.
        """

    def signed_by(self, signer: Signer | None) -> MarkedFrames:
        """Return the same stream, whose files are signed by another signer; by this user's own key if there is none."""
        return self


@dataclass(frozen=True)
class Signer:
    """Who signs files, where that is not the key of this user: a studio whose key is in a vault, for instance.

    Attributes
    ----------
    certificates : str
        Chain in PEM, the one that signs first. Its key is elliptic (P-256, P-384, P-521), RSA or Ed25519.
    sign : callable
        Takes bytes and returns their signature, as key services and the package cryptography make it: ECDSA in DER,
        RSA by PSS with a salt as long as the hash; both over SHA-256, or SHA-384 for P-384 and SHA-512 for P-521.

    Examples
    --------
    >>> signer = Signer(open("chain.pem").read(), sign=lambda data: vault.sign("film", data))  # doctest: +SKIP
    >>> clip.save("ada.mp4", signer=signer)                                                     # doctest: +SKIP
    """

    certificates: str
    sign: Callable[[bytes], bytes]


@dataclass(frozen=True)
class Consent:
    """By what right a portrait is animated.

    Attributes
    ----------
    basis : str
        "self", "permission", "public-domain", "historical", "fictional" or "undeclared".
    reference : str
        What the permission can be found by; empty for the others.
    """

    basis: str = "undeclared"
    reference: str = ""


@dataclass(frozen=True)
class Credentials:
    """What the signed manifest (C2PA) of a file says.

    Attributes
    ----------
    state : str
        "trusted"; "unknown signer": intact, but signed by nobody this user trusts; "invalid"; or "absent".
    signer, generator : str
        Names in the certificate and of the program, or empty.
    mark_id : str or None
        The id of the mark the manifest was bound to, if it is one of ours.
    consent : str or None
        Basis of the consent, if it is one of ours.
    reason : str
        Why it is invalid.
    """

    state: str = "absent"
    signer: str = ""
    generator: str = ""
    mark_id: str | None = None
    consent: str | None = None
    reason: str = ""


@dataclass(frozen=True)
class Verdict:
    """What `verify` found.

    Attributes
    ----------
    marked : bool
        True if the mark of this library was found.
    mark_id : str or None
        12 hex digits; None if there is no mark, or it is there and its id cannot be read.
    p_value : float
        Chance of a synchronisation peak at least this strong in an unmarked picture.
    score : float
        Height of that peak in standard deviations.
    credentials : Credentials
        What the signed manifest of the file says; absent where only frames were looked at.
    """

    marked: bool
    mark_id: str | None
    p_value: float
    score: float
    credentials: Credentials = Credentials()
