import dataclasses

import numpy as np
import pytest

from animate.channels import BLENDSHAPES, CHANNELS, INDEX
from animate.errors import MotionError
from animate.types import MarkedFrames, Motion


def ramp(num_rows: int = 100, fps: float = 50.0) -> Motion:
    return Motion.rest(num_rows / fps, fps).with_channels(jawOpen=np.linspace(0, 1, num_rows))


def test_there_are_52_blendshapes_and_six_head_channels():
    assert len(set(BLENDSHAPES)) == 52
    assert len(CHANNELS) == 58 and INDEX["headZ"] == 57


def test_motion_cannot_be_changed_in_place():
    with pytest.raises(dataclasses.FrozenInstanceError):
        ramp().fps = 25


def test_edits_leave_the_original_alone():
    motion = ramp()
    motion.with_channels(jawOpen=0.0)
    assert motion["jawOpen"].max() == 1


def test_unknown_channels_are_refused():
    with pytest.raises(MotionError, match="jawOpne"):
        ramp().with_channels(jawOpne=1.0)


@pytest.mark.parametrize("values", [np.zeros((10, 57)), np.zeros(58), np.zeros((0, 58)), np.full((3, 58), np.nan)])
def test_malformed_values_are_refused(values):
    with pytest.raises(MotionError):
        Motion(values, 50)


@pytest.mark.parametrize("fps", [23.976, 24, 25, 29.97, 30, 50, 60])
def test_resampling_keeps_the_time_of_events(fps):
    motion = ramp(500)
    resampled = motion.resampled(fps)
    assert abs(len(resampled) / resampled.fps - motion.duration_s) <= 0.5 / resampled.fps
    crossing = np.argmax(resampled["jawOpen"] > 0.5) / resampled.fps
    assert crossing == pytest.approx(np.argmax(motion["jawOpen"] > 0.5) / motion.fps, abs=1 / fps)


def test_marked_frames_cannot_be_made_by_hand():
    with pytest.raises(TypeError):
        MarkedFrames()
