"""Frame rates and frame counts: one clock for motion, sound and video."""

from fractions import Fraction

from animate.errors import ConfigError

_NTSC = {round(base * 1000 / 1001, 3): Fraction(base * 1000, 1001) for base in (24, 30, 48, 60, 120)}


def frame_rate(fps: float | str | Fraction) -> Fraction:
    """Return a frame rate as an exact fraction.

    Parameters
    ----------
    fps : float, str or Fraction
        Frames per second, 1 to 120. 23.976, 29.97 and 59.94 (to three or two decimals) mean the NTSC rates
        24000/1001, 30000/1001 and 60000/1001.

    Raises
    ------
    ConfigError
        If `fps` is not a number from 1 to 120.

    Examples
    --------
    >>> frame_rate(29.97)
    Fraction(30000, 1001)
    >>> frame_rate("25")
    Fraction(25, 1)
    """
    try:
        exact = Fraction(fps) if isinstance(fps, (int, Fraction)) else Fraction(str(fps))
    except (ValueError, ZeroDivisionError):
        raise ConfigError(f"{fps!r} is not a frame rate. Use a number such as 25, 29.97 or 30000/1001.") from None
    if not 1 <= exact <= 120:
        raise ConfigError(f"The frame rate {fps} is out of range. Use 1 to 120 frames per second.")
    for nominal, ntsc in _NTSC.items():
        if abs(exact - Fraction(str(nominal))) <= Fraction(1, 200):
            return ntsc
    return exact


def num_frames(duration_s: float, fps: float | str | Fraction) -> int:
    """Return how many frames cover `duration_s` seconds, to the nearest frame and at least one.

    Examples
    --------
    >>> num_frames(2.0, 29.97)
    60
    """
    return max(1, round(duration_s * frame_rate(fps)))
