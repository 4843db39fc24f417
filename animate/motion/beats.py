"""The words of a performance: poses that come and go, swings, looks and blinks.

Nothing is linear: what comes follows the smoothest path there is (minimum jerk; Flash & Hogan 1985), may take a swing
before it and go a little too far. Nothing comes all at once: brows lead, the mouth follows, then the cheeks.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from animate.channels import INDEX

VIEWER = (0.0, 0.0)
_SETTLE = 0.2  # of a pose that is lost while it is held and let go: a hold that does not move is dead
_LAGS_S = {"mouth": 0.05, "cheek": 0.09, "eyeSquint": 0.12, "head": 0.08}  # after the brows: overlapping action


@dataclass(frozen=True)
class Clock:
    """Rows of a motion; in a loop, time is a circle.

    Attributes
    ----------
    num_frames : int
    fps : float
    loop : bool
    """

    num_frames: int
    fps: float
    loop: bool

    @property
    def duration_s(self) -> float:
        """Seconds."""
        return self.num_frames / self.fps

    def sample(self, curve: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
        """Return float64 [T, ...] of a curve over seconds; in a loop its end goes on at the beginning."""
        times_s = np.arange(self.num_frames) / self.fps
        if not self.loop:
            return curve(times_s)
        return sum(curve(times_s + turn * self.duration_s) for turn in (-1, 0, 1))


@dataclass(frozen=True)
class Pose:
    """Some channels come, stay and go.

    Attributes
    ----------
    at_s : float
        When it begins.
    channels : mapping of str to float
        Where they go; ``"mouthSmile"`` means both sides.
    attack_s, hold_s, release_s : float
    windup : float
        Share of the way that it first goes in the opposite direction.
    overshoot : float
        Share of the way that it goes too far, both coming and going.
    """

    at_s: float
    channels: Mapping[str, float]
    attack_s: float = 0.4
    hold_s: float = 1.0
    release_s: float = 0.7
    windup: float = 0.0
    overshoot: float = 0.0

    def varied(self, rng: np.random.Generator) -> Pose:
        """Return the pose as it is done this time."""
        attack, hold, release = rng.uniform((0.93, 0.9, 0.93), (1.1, 1.1, 1.1))
        return replace(
            self,
            at_s=self.at_s + rng.normal(0, 0.035),
            channels=_uneven(self.channels, rng),
            attack_s=self.attack_s * attack,
            hold_s=self.hold_s * hold,
            release_s=self.release_s * release,
        )

    def paced(self, start_s: float, places: float, pace: float) -> Pose:
        """Return the pose later and slower: times scale by `places`, lengths by `pace`."""
        lengths = {name: getattr(self, name) * pace for name in ("attack_s", "hold_s", "release_s")}
        return replace(self, at_s=start_s + self.at_s * places, **lengths)

    @property
    def span_s(self) -> tuple[float, float]:
        """From and to, in seconds."""
        return self.at_s, self.at_s + self.attack_s + self.hold_s + self.release_s

    def curve(self, times_s: np.ndarray, lag_s: float) -> np.ndarray:
        """Return float64 [T]: 1 where the pose is held."""
        since = times_s - self.at_s - lag_s
        leaving = since - self.attack_s - self.hold_s
        settled = _SETTLE * ease((since - self.attack_s) / (self.hold_s + self.release_s))
        curve = ease(since / self.attack_s) - ease(leaving / self.release_s)
        curve *= 1 - settled
        curve -= self.windup * _bump(2 * since / self.attack_s)
        curve += self.overshoot * _bump(2 * (since / self.attack_s - 1))
        return curve - self.overshoot * _bump(2 * (leaving / self.release_s - 1))


@dataclass(frozen=True)
class Swing:
    """Some channels swing to and fro: a nod, a shake, a laugh.

    Attributes
    ----------
    at_s : float
    channels : mapping of str to float
        How far, at most, to each side; a negative one begins to the other side.
    period_s : float
    times : float
    decay : float
        Of each swing against the one before.
    pulses : bool
        It goes one way and back, as a nod does, not to both sides.
    """

    at_s: float
    channels: Mapping[str, float]
    period_s: float
    times: float
    decay: float = 0.8
    pulses: bool = False

    def varied(self, rng: np.random.Generator) -> Swing:
        """Return the swing as it is done this time."""
        return replace(
            self,
            at_s=self.at_s + rng.normal(0, 0.035),
            channels=_uneven(self.channels, rng),
            period_s=self.period_s * rng.uniform(0.9, 1.12),
            decay=self.decay * rng.uniform(0.92, 1.05),
        )

    def paced(self, start_s: float, places: float, pace: float) -> Swing:
        """Return the swing later and slower: times scale by `places`, lengths by `pace`."""
        return replace(self, at_s=start_s + self.at_s * places, period_s=self.period_s * pace)

    @property
    def span_s(self) -> tuple[float, float]:
        """From and to, in seconds."""
        return self.at_s, self.at_s + self.times * self.period_s

    def curve(self, times_s: np.ndarray, lag_s: float) -> np.ndarray:
        """Return float64 [T] between -1 and 1."""
        turns = (times_s - self.at_s - lag_s) / self.period_s
        size = self.decay ** np.clip(turns, 0, self.times)
        if self.pulses:
            inside = (turns > 0) & (turns < self.times)
            return np.where(inside, size * (0.5 - 0.5 * np.cos(2 * np.pi * turns)), 0)
        # It begins against its first direction, before the swing is at its full width: that is the windup.
        width = ease(turns / 0.75) * ease((self.times - turns) / 0.75)
        return -size * width * np.sin(2 * np.pi * turns)


@dataclass(frozen=True)
class Look:
    """From now on the eyes rest on something; the head follows part of the way.

    Attributes
    ----------
    at_s : float
    target : tuple of float
        Degrees to the right of the picture, and up.
    head : float
        Share of the way that the head turns.
    """

    at_s: float
    target: tuple[float, float]
    head: float = 0.5

    def varied(self, rng: np.random.Generator) -> Look:
        """Return the look as it is done this time."""
        across, up = np.multiply(self.target, rng.uniform(0.85, 1.15, 2))
        return replace(self, at_s=self.at_s + rng.normal(0, 0.06), target=(float(across), float(up)))

    def paced(self, start_s: float, places: float, pace: float) -> Look:
        """Return the look later: times scale by `places`."""
        return replace(self, at_s=start_s + self.at_s * places)


@dataclass(frozen=True)
class Blink:
    """The lids meet."""

    at_s: float

    def varied(self, rng: np.random.Generator) -> Blink:
        """Return the blink as it is done this time."""
        return replace(self, at_s=self.at_s + rng.normal(0, 0.04))

    def paced(self, start_s: float, places: float, pace: float) -> Blink:
        """Return the blink later: times scale by `places`."""
        return replace(self, at_s=start_s + self.at_s * places)


Beat = Pose | Swing | Look | Blink


def ease(share: np.ndarray) -> np.ndarray:
    """Return the way gone, 0-1, at a share of the time: minimum jerk."""
    share = np.clip(share, 0, 1)
    return share**3 * (10 - 15 * share + 6 * share**2)


def lag_s(channel: str) -> float:
    """Return how much later than the brows a channel moves in the same pose."""
    return next((lag for start, lag in _LAGS_S.items() if channel.startswith(start)), 0.0)


def channels_of(name: str) -> tuple[str, ...]:
    """Return the channels that a name in a beat means: itself, or its two sides."""
    return (name,) if name in INDEX else (name + "Left", name + "Right")


def _uneven(channels: Mapping[str, float], rng: np.random.Generator) -> dict[str, float]:
    """Return amounts by channel, more or less than asked and not the same on both sides: no face is symmetric."""
    more, lean = rng.uniform(0.86, 1.12), rng.choice((-1, 1)) * rng.uniform(0.02, 0.1)
    sides = {"Left": 1 + lean, "Right": 1 - lean}
    return {
        channel: amount * more * (1 if channel == name else sides[channel.removeprefix(name)])
        for name, amount in channels.items()
        for channel in channels_of(name)
    }


def _bump(place: np.ndarray) -> np.ndarray:
    """Return 1 at 0, falling smoothly to 0 at -1 and 1."""
    return np.clip(1 - place**2, 0, None) ** 3
