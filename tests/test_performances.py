"""Performances do what their names say, begin and end at rest or close to a loop, and live in between."""

import numpy as np
import pytest
from scipy.signal import find_peaks

from animate.channels import BLENDSHAPES, CHANNELS, HEAD, INDEX
from animate.errors import ConfigError
from animate.motion import PERFORMANCES, play
from animate.motion.beats import Blink, Look, Pose, channels_of
from animate.motion.fixations import EYES_AGAINST_HEAD
from animate.motion.latents import GAZE_RANGE_DEG, HEAD_RANGE

ALL = tuple(PERFORMANCES)
SEEDS = range(6)


def gaze(motion, axis="x"):
    """Where the eyes look in the picture, degrees [T], to the right or up."""
    if axis == "x":
        in_head, against, turn = motion["eyeLookOutLeft"] - motion["eyeLookInLeft"], EYES_AGAINST_HEAD[0], "headYaw"
    else:
        in_head, against, turn = motion["eyeLookUpLeft"] - motion["eyeLookDownLeft"], EYES_AGAINST_HEAD[1], "headPitch"
    return GAZE_RANGE_DEG * in_head + against * motion[turn]


def turns(curve, least):
    """How often a curve turns back after going at least so far."""
    return sum(len(find_peaks(side, prominence=least)[0]) for side in (curve, -curve))


def shut(motion, side):
    return motion["eyeBlink" + side] > 0.8


def wink_of(motion):
    """The closed eye, and when: where one eye is shut and the other is open."""
    left, right = shut(motion, "Left"), shut(motion, "Right")
    side = "Left" if (left & ~right).sum() > (right & ~left).sum() else "Right"
    return side, np.flatnonzero(
        shut(motion, side) & (motion["eyeBlinkRight" if side == "Left" else "eyeBlinkLeft"] < 0.1)
    )


def test_there_are_at_least_the_promised_thirteen():
    assert set(ALL) >= {
        "gentle", "curious", "proud", "shy-smile", "laugh", "wistful", "look-around", "nod-yes", "shake-no",
        "surprised", "blow-a-kiss", "wink", "listening",
    }  # fmt: skip


@pytest.mark.parametrize("name", ALL)
def test_scripts_name_channels_that_exist_and_end_with_the_viewer(name):
    performance = PERFORMANCES[name]
    for beat in performance.beats:
        for channel in getattr(beat, "channels", ()):
            assert set(channels_of(channel)) <= set(CHANNELS), channel
        assert beat.at_s < performance.phrase_s
    looks = sorted((beat for beat in performance.beats if isinstance(beat, Look)), key=lambda look: look.at_s)
    assert not looks or looks[-1].target == (0.0, 0.0)


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("duration_s", [2.0, 8.0, 21.3])
def test_channels_keep_their_ranges_and_the_length_is_as_asked(name, duration_s):
    for loop in (False, True):
        motion = play(name, duration_s, seed=3, loop=loop, expressiveness=2.0)
        assert motion.duration_s == pytest.approx(duration_s, abs=0.02)
        assert motion.values[:, : len(BLENDSHAPES)].min() >= 0 and motion.values[:, : len(BLENDSHAPES)].max() <= 1
        assert all(np.abs(motion[head]).max() <= HEAD_RANGE[head] + 1e-6 for head in HEAD)


@pytest.mark.parametrize("name", ALL)
def test_a_performance_begins_and_ends_at_rest(name):
    values = play(name, seed=1).values
    assert not values[0].any() and not values[-1].any()
    assert np.abs(values[1] - values[0]).max() < 0.01 and np.abs(values[-1] - values[-2]).max() < 0.01
    assert np.abs(values).max() > 0.2


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("duration_s, fps", [(8.0, 25), (3.0, 29.97), (5.01, 24)])
def test_a_loop_closes_in_value_and_speed(name, duration_s, fps):
    motion = play(name, duration_s, seed=4, loop=True, fps=fps)
    frames = motion.resampled(fps).values
    steps = np.abs(np.diff(frames, axis=0, append=frames[:1]))  # the last is the seam
    bends = np.abs(np.diff(frames, 2, axis=0, append=frames[:2]))  # the last two are across the seam
    assert len(motion) % len(frames) == 0
    assert (steps[-1] <= 1.3 * steps[:-1].max(axis=0) + 1e-5).all()
    assert (bends[-2:].max(axis=0) <= 1.3 * bends[:-2].max(axis=0) + 1e-5).all()


def test_a_seam_is_seen_where_there_is_one():
    frames = play("gentle", 8.0, seed=4, loop=True).values[: -len(CHANNELS)]  # a loop with its end cut off
    steps = np.abs(np.diff(frames, axis=0, append=frames[:1]))
    assert not (steps[-1] <= 1.3 * steps[:-1].max(axis=0) + 1e-5).all()


@pytest.mark.parametrize("name", ALL)
def test_a_seed_repeats_and_another_one_varies(name):
    first, again, other = (play(name, seed=seed).values for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert np.abs(first - other).max() > 0.1


def test_phrases_of_a_long_performance_differ():
    nods = play("nod-yes", 20.0, seed=0)["headPitch"].reshape(4, -1)
    assert all(np.abs(nods[0] - later).max() > 0.5 for later in nods[1:])


@pytest.mark.parametrize("name", ALL)
def test_the_face_lives(name):
    motion = play(name, 24.0, seed=2, loop=True)
    both = shut(motion, "Left") & shut(motion, "Right")
    blinks = (both & ~np.roll(both, 1)).sum()
    assert 4 <= blinks <= 19  # 10 to 48 a minute
    still_rows = (np.abs(np.diff(motion.values[:, [INDEX[head] for head in HEAD]], axis=0)).max(axis=1) < 1e-3).mean()
    assert still_rows < 0.02
    slow = np.abs(np.fft.rfft(motion["headZ"] - motion["headZ"].mean()))
    assert slow[round(24 * 14 / 60)] > 0.05  # it breathes


def test_no_performance_has_a_robots_symmetry():
    for name in ("gentle", "laugh", "surprised"):
        motion = play(name, seed=5)
        channel = "browOuterUp" if name == "surprised" else "mouthSmile"
        assert 0.004 < np.abs(motion[channel + "Left"] - motion[channel + "Right"]).max() < 0.25


def test_eyes_stay_on_the_viewer_while_the_head_nods():
    motion = play("nod-yes", 5.0, seed=0)
    assert np.ptp(motion["headPitch"]) > 5
    assert np.abs(gaze(motion, "y")).max() < 4 < GAZE_RANGE_DEG * motion["eyeLookUpLeft"].max() + 2


@pytest.mark.parametrize("seed", SEEDS)
def test_the_gaze_leads_the_head(seed):
    motion = play("look-around", 8.0, seed=seed)
    eyes, head = np.abs(gaze(motion)), np.abs(motion["headYaw"])
    early = slice(0, 100)  # until the first look has arrived
    halfway = [np.flatnonzero(curve[early] > 0.5 * curve[early].max())[0] / motion.fps for curve in (eyes, head)]
    assert 0.1 < halfway[1] - halfway[0] < 0.6


@pytest.mark.parametrize("seed", SEEDS)
def test_nod_yes_nods(seed):
    motion = play("nod-yes", 5.0, seed=seed)
    assert turns(motion["headPitch"], 2.0) >= 4  # down and up, at least twice
    assert np.ptp(motion["headYaw"]) < 0.6 * np.ptp(motion["headPitch"]) and turns(motion["headYaw"], 2.5) < 3
    assert motion["mouthSmileLeft"].max() > 0.2


@pytest.mark.parametrize("seed", SEEDS)
def test_shake_no_shakes(seed):
    motion = play("shake-no", 5.0, seed=seed)
    assert turns(motion["headYaw"], 4.0) >= 4
    assert np.ptp(motion["headPitch"]) < 0.5 * np.ptp(motion["headYaw"])
    assert motion["mouthPressLeft"].max() > 0.25 and motion["mouthSmileLeft"].max() < 0.05


@pytest.mark.parametrize("seed", SEEDS)
def test_wink_closes_one_eye_while_the_other_is_open(seed):
    motion = play("wink", 5.0, seed=seed)
    side, rows = wink_of(motion)
    assert 0.1 < len(rows) / motion.fps < 0.6
    other = "Right" if side == "Left" else "Left"
    assert not (shut(motion, other) & (motion["eyeBlink" + side] < 0.1)).any()
    assert motion["mouthSmile" + side].max() > 1.5 * motion["mouthSmile" + other].max()


def test_either_eye_can_wink():
    assert {wink_of(play("wink", 5.0, seed=seed))[0] for seed in SEEDS} == {"Left", "Right"}


@pytest.mark.parametrize("seed", SEEDS)
def test_laugh_opens_the_jaw_in_rhythm_with_a_smile(seed):
    motion = play("laugh", 7.0, seed=seed)
    bout = motion["jawOpen"] > 0.05
    assert turns(motion["jawOpen"], 0.05) >= 10
    assert motion["mouthSmileLeft"][bout].min() > 0.3
    assert motion["cheekSquintLeft"].max() > 0.4 and motion["eyeSquintLeft"].max() > 0.3


@pytest.mark.parametrize("seed", SEEDS)
def test_surprised_raises_the_brows_widens_the_eyes_and_opens_the_mouth_at_once(seed):
    motion = play("surprised", 6.0, seed=seed)
    peaks = [motion[name].argmax() / motion.fps for name in ("browInnerUp", "eyeWideLeft", "jawOpen")]
    assert min(motion[name].max() for name in ("browInnerUp", "browOuterUpLeft", "eyeWideLeft")) > 0.55
    assert motion["jawOpen"].max() > 0.18 and max(peaks) - min(peaks) < 0.9


@pytest.mark.parametrize("seed", SEEDS)
def test_blow_a_kiss_purses_then_opens_then_smiles(seed):
    motion = play("blow-a-kiss", 6.0, seed=seed)
    kiss, puff, smile = (motion[name].argmax() for name in ("mouthPucker", "mouthFunnel", "mouthSmileLeft"))
    assert kiss < puff < smile
    assert 0.6 < motion["mouthPucker"].max() < 1 and motion["jawOpen"][motion["mouthPucker"] < 0.5].max() > 0.05
    assert ((motion["mouthPucker"] > 0.6) & (motion["jawOpen"] < 0.02)).sum() / motion.fps > 0.3


@pytest.mark.parametrize("seed", SEEDS)
def test_look_around_looks_to_both_sides_and_up(seed):
    motion = play("look-around", 8.0, seed=seed)
    assert gaze(motion).max() > 14 and gaze(motion).min() < -14 and gaze(motion, "y").max() > 7
    assert np.ptp(motion["headYaw"]) > 10


@pytest.mark.parametrize("seed", SEEDS)
def test_shy_smile_looks_down_while_it_smiles(seed):
    motion = play("shy-smile", 8.0, seed=seed)
    down = gaze(motion, "y") < -7
    assert down.mean() > 0.2 and motion["mouthSmileLeft"][down].max() > 0.35
    assert motion["headPitch"].min() < -4


@pytest.mark.parametrize("seed", SEEDS)
def test_moods_differ(seed):
    gentle, proud, wistful, curious, listening, thinking = (
        play(name, 8.0, seed=seed) for name in ("gentle", "proud", "wistful", "curious", "listening", "thinking")
    )
    assert gentle["mouthSmileLeft"].max() > 0.3 and gentle["jawOpen"].max() == 0
    assert proud["headPitch"].max() > 4 and proud["mouthPressLeft"].max() > 0.2
    assert wistful["browInnerUp"].max() > 0.35 and wistful["mouthFrownLeft"].max() > 0.12
    assert curious["headZ"].max() > 0.12 and np.abs(gaze(curious)).max() > 12
    assert turns(listening["headPitch"], 1.5) >= 4 and np.abs(listening["headYaw"]).max() < 8
    assert gaze(thinking, "y").max() > 9 and max(thinking["mouthLeft"].max(), thinking["mouthRight"].max()) > 0.4


def test_settings_do_what_they_say():
    still = play("look-around", seed=1, head_motion=0.0)
    assert not any(still[head].any() for head in HEAD) and np.abs(gaze(still)).max() > 14
    assert not play("gentle", seed=1, blink_rate=0.0)["eyeBlinkLeft"].any()
    assert play("gentle", seed=1, blink_rate=1.0)["eyeBlinkLeft"].max() > 0.9
    quiet, loud = (play("gentle", seed=1, expressiveness=share)["mouthSmileLeft"].max() for share in (0.5, 1.0))
    assert loud == pytest.approx(2 * quiet)


def test_beats_are_varied_but_stay_themselves():
    pose = Pose(1.0, {"mouthSmile": 0.5})
    done = [pose.varied(np.random.default_rng(seed)) for seed in SEEDS]
    assert len({beat.at_s for beat in done}) == len(SEEDS)
    assert all(0.35 < amount < 0.65 for beat in done for amount in beat.channels.values())
    assert Blink(2.0).paced(10.0, 0.5, 0.7).at_s == 11.0


@pytest.mark.parametrize(
    "asked, message",
    [
        ({"name": "winck"}, "'wink'"),
        ({"duration_s": 1.0}, "2 to 600"),
        ({"duration_s": float("nan")}, "nan"),
        ({"expressiveness": 3}, "expressiveness is 3"),
        ({"head_motion": -1}, "head_motion is -1"),
        ({"blink_rate": 9}, "blink_rate is 9"),
        ({"fps": "often"}, "often"),
    ],
)
def test_what_cannot_be_played_is_refused(asked, message):
    with pytest.raises(ConfigError, match=message):
        play(**{"name": "gentle", **asked})
