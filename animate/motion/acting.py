"""How a face acts: its emotion and manner, as conditions before the network and as knobs after it."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from animate.channels import BROWS, HEAD, INDEX
from animate.errors import ConfigError
from animate.motion.arousal import Arousal
from animate.motion.direction import Direction
from animate.motion.emotions import EMOTIONS, emotion_vector, parse_emotion
from animate.motion.fixations import EYES_AGAINST_HEAD, Fixations
from animate.motion.latents import GAZE_RANGE_DEG, to_channels
from animate.motion.lids import Lids

AUTO = "auto"
# How far the manner follows the arousal of the voice, from calm (0) to aroused (1)
_AROUSED_ARTICULATION, _AROUSED_LIVELINESS = 0.3, 1.0
_EXPRESSIVE_ARTICULATION = 0.35  # of the style for each unit of expressiveness


@dataclass(frozen=True)
class Acting:
    """What a director may ask for.

    Attributes
    ----------
    emotion : str
        As `animate.motion.emotions.parse_emotion` reads it, such as ``"happy:0.6"``; or ``"auto"``: no emotion, but
        mouth and head are as lively as the voice is aroused. (Whether an aroused voice is glad or angry cannot be
        heard reliably from prosody, so it is not guessed.)
    expressiveness : float
        0 to 2: how far mouth, brows and head move; 1 as learned.
    head_motion : float
        0 to 2: 0 keeps the head still, blinks and gaze go on.
    blink_rate : float
        0 to 3: 0 never, 1 as learned, 2 about twice as often.
    gaze_x_deg, gaze_y_deg : float
        Where the eyes rest, to the right of the picture and up; 0, 0 is the viewer. Up to 25.

    Raises
    ------
    ConfigError
        If a value is out of range.
    """

    emotion: str = "neutral"
    expressiveness: float = 1.0
    head_motion: float = 1.0
    blink_rate: float = 1.0
    gaze_x_deg: float = 0.0
    gaze_y_deg: float = 0.0

    def __post_init__(self):
        if self.emotion != AUTO:
            parse_emotion(self.emotion)
        limits = {"expressiveness": 2, "head_motion": 2, "blink_rate": 3}
        for name, limit in limits.items():
            if not 0 <= getattr(self, name) <= limit:
                raise ConfigError(f"{name} is {getattr(self, name)}; use 0 to {limit}.")
        for name in ("gaze_x_deg", "gaze_y_deg"):
            if not abs(getattr(self, name)) <= 25:
                raise ConfigError(f"{name} is {getattr(self, name)}; use -25 to 25 degrees.")


@dataclass(frozen=True)
class Guidance:
    """Weights of the conditions (classifier-free guidance, Ho & Salimans 2022): 1 as learned, more exaggerates.

    Each weight other than 1 costs one more pass of the network.

    Attributes
    ----------
    voice, emotion, style : float
    weights : dict of int to float
        Those that are not 1, by the place of their condition.
    """

    voice: float = 1.0
    emotion: float = 1.0
    style: float = 1.0
    weights: dict[int, float] = field(init=False)

    def __post_init__(self):
        weights = enumerate((self.voice, self.emotion, self.style))
        object.__setattr__(self, "weights", {place: weight for place, weight in weights if weight != 1})


class Manner:
    """The emotion and style conditions of consecutive windows."""

    def __init__(self, acting: Acting, direction: Direction):
        auto = acting.emotion == AUTO
        self.acting, self.direction = acting, direction
        self.emotion = emotion_vector({} if auto else parse_emotion(acting.emotion))
        self.arousal = Arousal() if auto and direction.emotion is None else None

    def conditions(self, heard: np.ndarray, start: int, fps: float) -> tuple[np.ndarray, np.ndarray]:
        """Return emotion float32 [T, len(EMOTIONS)] and style float32 [T, 2] for features [T, D] from a frame on."""
        times_s = (start + np.arange(len(heard))) / fps
        emotion = self.direction.curve("emotion", times_s, self.emotion).astype(np.float32)
        expressiveness = self.direction.curve("expressiveness", times_s, self.acting.expressiveness)
        lively = np.log2(np.clip(expressiveness, 0.3, 2))
        style = np.stack([_EXPRESSIVE_ARTICULATION * (expressiveness - 1), lively], axis=1).astype(np.float32)
        if self.arousal is not None:
            aroused = self.arousal.follow(heard, start) - 0.5
            style += aroused[:, None] * np.array([_AROUSED_ARTICULATION, _AROUSED_LIVELINESS], np.float32)
        assert emotion.shape[1] == len(EMOTIONS)
        return emotion, style


class Finisher:
    """Turns a stream of the network's controls into channels: lids and gaze are drawn, the rest set as directed."""

    def __init__(self, acting: Acting, latents: dict[str, dict[str, float]], direction: Direction):
        self.acting, self.latents, self.direction = acting, latents, direction
        self.lids: Lids | None = None
        self.eyes: Fixations | None = None
        self.waiting = np.empty((0, len(latents)), np.float32)  # controls whose lids are not yet certain
        self.finished = 0  # frames

    def channels(self, controls: np.ndarray, fps: float, last: bool = False) -> np.ndarray:
        """Take more controls float32 [T, L]; return the channels float32 [n, 58] of all frames that are certain."""
        self.lids, self.eyes = self.lids or Lids(fps, self._blink_rate), self.eyes or Fixations(fps)
        names = list(self.latents)
        self.waiting = np.concatenate([self.waiting, controls])
        lids = self.lids.draw(controls[:, names.index("eyeBlink")], last)
        ready, self.waiting = self.waiting[: len(lids)].copy(), self.waiting[len(lids) :]
        times_s = (self.finished + np.arange(len(ready))) / fps
        self.finished += len(ready)
        ready[:, names.index("eyeBlink")] = lids
        eyes, turned = ([names.index(name) for name in pair] for pair in (("gazeX", "gazeY"), ("headYaw", "headPitch")))
        looks = self.eyes.draw(GAZE_RANGE_DEG * ready[:, eyes] + EYES_AGAINST_HEAD * ready[:, turned])
        looks += self.direction.curve("gaze", times_s, (self.acting.gaze_x_deg, self.acting.gaze_y_deg))  # [n, 2]
        head_motion = self.direction.curve("head_motion", times_s, self.acting.head_motion)
        ready[:, [names.index(name) for name in HEAD]] *= head_motion[:, None]
        ready[:, eyes] = (looks - EYES_AGAINST_HEAD * ready[:, turned]) / GAZE_RANGE_DEG
        channels = to_channels(ready, self.latents)
        brows = [INDEX[name] for name in BROWS]
        expressiveness = self.direction.curve("expressiveness", times_s, self.acting.expressiveness)
        channels[:, brows] = np.clip(channels[:, brows] * expressiveness[:, None], 0, 1)
        return self.direction.edited(channels, times_s)

    def _blink_rate(self, time_s: float) -> float:
        return float(self.direction.curve("blink_rate", np.array([time_s]), self.acting.blink_rate)[0])
