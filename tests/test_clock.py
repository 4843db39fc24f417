from fractions import Fraction

import pytest

from animate.clock import frame_rate, num_frames
from animate.errors import ConfigError

RATES = [23.976, 24, 25, 29.97, 30, 50, 59.94, 60]


@pytest.mark.parametrize("fps, exact", [(23.976, Fraction(24000, 1001)), ("29.97", Fraction(30000, 1001)), (25, 25)])
def test_ntsc_rates_are_exact(fps, exact):
    assert frame_rate(fps) == exact


@pytest.mark.parametrize("fps", ["fast", 0, -25, 1000, "1/0", float("nan")])
def test_impossible_rates_are_refused(fps):
    with pytest.raises(ConfigError):
        frame_rate(fps)


@pytest.mark.parametrize("fps", RATES)
@pytest.mark.parametrize("duration_s", [0.5, 1.0, 7.333, 3600.0])
def test_frames_cover_the_sound_to_within_half_a_frame(fps, duration_s):
    rate = frame_rate(fps)
    assert abs(num_frames(duration_s, fps) / rate - duration_s) <= 0.5 / rate + 1e-9


def test_the_shortest_sound_still_has_a_frame():
    assert num_frames(0.001, 25) == 1
