"""Edits return new motions that do what their names say."""

from dataclasses import replace

import numpy as np
import pytest

from animate.channels import BLENDSHAPES, CHANNELS, HEAD, LIPS
from animate.errors import MotionError
from animate.motion import edits
from animate.types import Motion


@pytest.fixture
def wave() -> Motion:
    """Every channel swings, each at its own pace."""
    rest = Motion.rest(2.0, 50)
    phases = np.arange(100)[:, None] / 50 * np.linspace(2, 9, len(CHANNELS))
    return replace(rest, values=0.5 + 0.4 * np.sin(phases))


def test_every_channel_belongs_to_one_group():
    members = [name for group in edits.GROUPS.values() for name in group]
    assert sorted(members) == sorted(CHANNELS)


def test_edits_leave_the_original_alone(wave):
    before = wave.values.copy()
    for edited in (
        edits.scale(wave, 0.5), edits.offset(wave, jawOpen=0.2), edits.smooth(wave, 0.1), edits.retime(wave, 1.0),
        edits.mirror(wave), edits.mask(wave, "lips"), edits.splice(wave, edits.cut(wave, 0.0, 0.5), 1.0),
    ):  # fmt: skip
        assert not np.array_equal(edited.values, before)
        assert np.array_equal(wave.values, before)


def test_scale_and_offset_touch_their_channels_only_and_stay_in_range(wave):
    scaled = edits.scale(wave, 3.0, ["head", "jawOpen"])
    assert np.allclose(scaled["headYaw"], 3 * wave["headYaw"])
    assert np.allclose(scaled["jawOpen"], np.minimum(3 * wave["jawOpen"], 1))
    assert np.array_equal(scaled["mouthPucker"], wave["mouthPucker"])
    moved = edits.offset(wave, jawOpen=-0.5, headYaw=-9)
    assert moved["jawOpen"].min() == 0 and np.allclose(moved["headYaw"], wave["headYaw"] - 9)


def test_scale_follows_a_curve(wave):
    faded = edits.scale(wave, np.linspace(1, 0, 100), "brows")
    assert faded["browInnerUp"][-1] == 0 and faded["browInnerUp"][0] == wave["browInnerUp"][0]


def test_smoothing_calms_and_keeps_the_mean():
    noisy = Motion.rest(4.0, 50).with_channels(jawOpen=np.random.default_rng(0).random(200))
    smooth = edits.smooth(noisy, 0.1)
    assert np.abs(np.diff(smooth["jawOpen"])).max() < 0.3 * np.abs(np.diff(noisy["jawOpen"])).max()
    assert smooth["jawOpen"].mean() == pytest.approx(noisy["jawOpen"].mean(), abs=0.03)


def test_retiming_moves_events_in_proportion():
    peak = Motion.rest(2.0, 50).with_channels(jawOpen=np.exp(-((np.arange(100) - 50) ** 2) / 20))
    slow = edits.retime(peak, 3.0)
    assert len(slow) == 150 and slow.duration_s == 3.0
    assert slow["jawOpen"].argmax() == 75


def test_blend_runs_from_one_to_the_other(wave):
    rest = Motion.rest(2.0, 25)
    assert np.allclose(edits.blend(wave, rest, 0.0).values, wave.values)
    assert np.allclose(edits.blend(wave, rest, 1.0).values, 0)
    half = edits.blend(wave, rest, 0.5, "lips")
    assert np.allclose(half["jawOpen"], wave["jawOpen"] / 2) and np.array_equal(half["headYaw"], wave["headYaw"])


def test_crossfade_begins_as_one_and_ends_as_the_other(wave):
    rest = Motion.rest(1.0, 50)
    joined = edits.crossfade(wave, rest, 0.4)
    assert joined.duration_s == pytest.approx(2.6) and len(joined) == 130
    assert np.allclose(joined.values[:80], wave.values[:80]) and np.allclose(joined.values[101:], 0, atol=1e-6)
    assert len(edits.crossfade(wave, rest, 0.0)) == 150


def test_splice_replaces_its_place_only_and_without_a_jump(wave):
    patch = Motion.rest(0.6, 50)
    spliced = edits.splice(wave, patch, 1.0, fade_s=0.1, channels="lips")
    assert np.allclose(spliced.values[:50], wave.values[:50]) and np.allclose(spliced.values[81:], wave.values[81:])
    assert np.allclose(spliced["jawOpen"][56:74], 0) and np.array_equal(spliced["headYaw"], wave["headYaw"])
    assert np.abs(np.diff(spliced["jawOpen"])).max() < 0.35


def test_mirroring_twice_gives_the_motion_back(wave):
    assert np.array_equal(edits.mirror(edits.mirror(wave)).values, wave.values)
    assert np.array_equal(edits.mirror(wave)["eyeBlinkLeft"], wave["eyeBlinkRight"])
    assert np.array_equal(edits.mirror(wave)["jawLeft"], wave["jawRight"])
    assert np.array_equal(edits.mirror(wave)["headPitch"], wave["headPitch"])


def test_mask_keeps_one_group(wave):
    lips = edits.mask(wave, "lips")
    assert all(np.array_equal(lips[name], wave[name]) for name in LIPS)
    assert not any(lips[name].any() for name in HEAD)
    assert len(BLENDSHAPES) == 52


@pytest.mark.parametrize(
    "edit, message",
    [
        (lambda wave: edits.mask(wave, "lipps"), "'lips'"),
        (lambda wave: edits.offset(wave, jawOpne=1), "'jawOpen'"),
        (lambda wave: edits.smooth(wave, 0), "0 s"),
        (lambda wave: edits.retime(wave, -1), "-1 s"),
        (lambda wave: edits.cut(wave, 1, 5), "2 s has no part"),
        (lambda wave: edits.blend(wave, Motion.rest(1, 50), 0.5), "cannot be blended"),
        (lambda wave: edits.crossfade(wave, wave, 3), "does not fit"),
        (lambda wave: edits.splice(wave, wave, 1), "does not fit"),
    ],
)
def test_impossible_edits_are_refused(wave, edit, message):
    with pytest.raises(MotionError, match=message):
        edit(wave)
