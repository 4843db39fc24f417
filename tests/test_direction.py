"""Direction: keys become curves, conditions of the network and edits, each at its time."""

import numpy as np
import pytest
import torch
from diffusers import FlowMatchEulerDiscreteScheduler

from animate.camera import framed, framing
from animate.channels import BROWS, HEAD
from animate.crop import View
from animate.errors import ConfigError
from animate.motion import lip_gap
from animate.motion.acting import Acting, Manner
from animate.motion.denoiser import MotionDenoiser
from animate.motion.direction import Direction, direct, read_direction
from animate.motion.emotions import EMOTIONS
from animate.motion.encoder import SpeechEncoder, SpeechEncoderConfig
from animate.motion.latents import LATENTS
from animate.motion.lids import Lids
from animate.motion.pipeline import AudioToMotionPipeline
from animate.motion.tracks import Track
from animate.speech import FEATURES
from animate.types import Motion, SpeechFeatures


@pytest.fixture(scope="module")
def tiny() -> AudioToMotionPipeline:
    """The real classes, at a size that runs at once."""
    torch.manual_seed(0)
    denoiser = MotionDenoiser([*LATENTS.items()], [0.1] * len(LATENTS), [0.2] * len(LATENTS), 16, 16, 1, 2)
    encoder = SpeechEncoder(SpeechEncoderConfig(len(FEATURES), hidden_size=16, dilations=(1, 2)))
    return AudioToMotionPipeline(encoder.eval(), denoiser.eval(), FlowMatchEulerDiscreteScheduler())


def features(count: int) -> SpeechFeatures:
    return SpeechFeatures(np.random.default_rng(1).random((count, len(FEATURES)), dtype=np.float32), 50.0)


def talking(duration_s=4.0) -> Motion:
    times = np.arange(round(duration_s * 50)) / 50
    jaw = 0.2 + 0.2 * np.sin(20 * times)
    return Motion.rest(duration_s, 50).with_channels(jawOpen=jaw, mouthClose=np.where(jaw < 0.1, jaw, 0), headYaw=2.0)


def at(motion: Motion, channel: str, time_s: float) -> float:
    return float(motion[channel][round(time_s * motion.fps)])


def test_tracks_hold_outside_their_keys_and_ease_between_them():
    track = Track((1.0, 2.0, 4.0), ((0.0,), (1.0,), (-1.0,)))
    times = np.linspace(0, 5, 501)
    curve = track.at(times)[:, 0]
    assert (curve[:100] == 0).all() and (curve[400:] == -1).all() and curve[200] == 1
    assert curve[150] == pytest.approx(0.5) and curve[300] == pytest.approx(0.0)
    assert np.abs(np.diff(curve, n=2)).max() < 1e-3  # no corner, also at the keys


def test_nothing_directed_changes_nothing(tiny):
    plain, directed = (tiny(features(200), direction=direction).values for direction in (None, Direction()))
    assert np.array_equal(plain, directed)
    assert np.array_equal(direct(talking(), Direction()).values, talking().values)


def test_emotions_pass_into_one_another_as_conditions_of_the_network():
    manner = Manner(Acting(), Direction(emotion={0: "happy:0.8", 2: "sad:0.4,fearful:0.2"}))
    emotion, _ = manner.conditions(np.zeros((150, len(FEATURES))), 0, 50.0)
    happy, sad, fearful = (emotion[:, EMOTIONS.index(name)] for name in ("happy", "sad", "fearful"))
    assert happy[0] == pytest.approx(0.8) and sad[0] == 0
    assert (happy[50], sad[50], fearful[50]) == pytest.approx((0.4, 0.2, 0.1))
    assert (happy[-1], sad[-1], fearful[-1]) == pytest.approx((0.0, 0.4, 0.2))
    later, _ = manner.conditions(np.zeros((50, len(FEATURES))), 50, 50.0)
    assert np.array_equal(later, emotion[50:100])


def test_an_emotion_reaches_the_network_from_its_key_on(tiny):
    plain = tiny(features(700))
    happy = tiny(features(700), direction=Direction(emotion={10.0: "neutral", 11.0: "happy"}))
    assert np.allclose(plain.values[:300], happy.values[:300], atol=1e-5)
    assert not np.allclose(plain.values[560:], happy.values[560:], atol=1e-3)


def test_expressiveness_is_a_condition_and_scales_the_brows(tiny):
    _, style = Manner(Acting(), Direction(expressiveness={0: 1, 1: 2})).conditions(np.zeros((60, 44)), 0, 50.0)
    assert style[0].tolist() == [0, 0] and style[-1].tolist() == pytest.approx([0.35, 1])
    frozen = tiny(features(100), direction=Direction(expressiveness=0))
    assert not any(frozen[name].any() for name in BROWS)


def test_the_head_keeps_still_and_the_eyes_turn_when_told(tiny):
    scene = Direction(head_motion={2: 1, 3: 0}, gaze={2: "camera", 3: "right"})
    plain, directed = tiny(features(300)), tiny(features(300), direction=scene)
    assert np.array_equal(plain.values[:100], directed.values[:100])
    assert not any(directed[name][150:].any() for name in HEAD) and plain["headYaw"][150:].any()
    turned = directed["eyeLookOutLeft"] - directed["eyeLookInLeft"] - plain["eyeLookOutLeft"] + plain["eyeLookInLeft"]
    assert turned[160:].mean() == pytest.approx(0.5, abs=0.1)


def test_never_blinking_lasts_as_long_as_it_is_asked(tiny):
    scene = Direction(blink_rate={0: 1, 4: 1, 4.2: 0, 9: 0, 9.2: 1})
    lids = tiny(features(800), direction=scene)["eyeBlinkLeft"]
    assert lids[:200].max() > 0.8 and lids[220:445].max() < 0.05 and lids[460:].max() > 0.8


def test_lids_on_a_constant_rate_and_on_one_given_over_time_agree():
    wish = np.random.default_rng(2).random(1000) * 0.5
    assert np.array_equal(Lids(50.0, 0.5).draw(wish, last=True), Lids(50.0, lambda time: 0.5).draw(wish, last=True))


def test_a_blink_now_closes_the_eyes_then():
    motion = direct(talking(), Direction(blink=[1.0, 3.0]))
    assert all(at(motion, lid, time) == 1 for lid in ("eyeBlinkLeft", "eyeBlinkRight") for time in (1.0, 3.0))
    assert at(motion, "eyeBlinkLeft", 2.0) == 0


def test_a_listener_keeps_the_mouth_at_rest_and_the_smile():
    motion = direct(talking(), Direction(hold=[[1.0, 2.0]], smile=0.3))
    assert lip_gap(motion)[50:101].max() == 0
    assert np.array_equal(motion["jawOpen"][:39], talking()["jawOpen"][:39])
    assert motion["mouthSmileLeft"].min() == pytest.approx(0.3) and motion["headYaw"].min() == 2


def test_articulation_widens_speech_and_keeps_closures():
    plain, wide = talking(), direct(talking(), Direction(articulation=1.5))
    assert np.allclose(lip_gap(wide), 1.5 * lip_gap(plain), atol=1e-6)
    assert (lip_gap(wide) == 0).any()


def test_brows_smile_and_head_go_where_they_are_told():
    scene = Direction(brow={0: 0.5, 2: -0.5}, smile={0: -0.4, 2: 0.4}, head_yaw_deg={1: 0, 2: 10}, head_pitch_deg=-3)
    motion = direct(talking(), scene)
    assert at(motion, "browInnerUp", 0) == pytest.approx(0.5) and at(motion, "browDownLeft", 0) == 0
    assert at(motion, "browInnerUp", 3) == 0 and at(motion, "browDownLeft", 3) == pytest.approx(0.5)
    assert at(motion, "mouthFrownLeft", 0) == pytest.approx(0.4) and at(motion, "mouthSmileLeft", 3) == pytest.approx(
        0.4
    )
    assert at(motion, "headYaw", 0) == 2 and at(motion, "headYaw", 3) == 12 and at(motion, "headPitch", 1) == -3


def test_a_given_motion_cannot_follow_what_needs_the_generator():
    with pytest.raises(ConfigError, match="emotion"):
        direct(talking(), Direction(emotion="happy"))


def test_the_camera_closes_in_on_the_face_and_stays_in_the_picture(astronaut):
    times = np.linspace(0, 4, 101)
    whole = View(np.array([0, 0, *astronaut.size]), astronaut.size)
    windows = framing(astronaut, Direction(camera_zoom={0: 1, 4: 3}, camera_x={0: 0, 4: 1}), times, whole)
    width, height = astronaut.size
    assert np.allclose(windows[0], [0, 0, width, height])
    assert windows[-1, 2] == pytest.approx(width / 3)
    assert (windows[:, :2] >= 0).all() and (windows[:, :2] + windows[:, 2:] <= [width + 1e-6, height + 1e-6]).all()
    still = framing(astronaut, Direction(camera_zoom=3), times[:1], whole)[0]
    nose = astronaut.face.vertices[1]
    assert np.allclose(still[:2] + still[2:] / 2, nose[:2], atol=0.15 * width / 3)


def test_framed_shows_the_window_enlarged():
    frame = np.zeros((100, 200, 3), np.uint8)
    frame[50:, 100:] = 255
    windows = np.array([[0, 0, 200, 100], [100, 50, 100, 50]], float)
    view = View(windows[0].astype(int), (200, 100))
    whole, quarter = framed([frame, frame], windows, view, frame, np.zeros((100, 200), np.float32))
    assert np.array_equal(whole, frame) and quarter.shape == frame.shape
    assert quarter.mean() > 250


def test_yaml_and_python_say_the_same(tmp_path):
    path = tmp_path / "scene.yaml"
    path.write_text(
        "emotion: {0: neutral, 2.5: 'happy:0.8'}\ngaze: {0: camera, 1: [10, -5]}\nblink: [1.2]\nsmile: 0.2\n"
    )
    expected = Direction(
        emotion={0: "neutral", 2.5: "happy:0.8"}, gaze={0: "camera", 1: [10, -5]}, blink=[1.2], smile=0.2
    )
    assert read_direction(path) == expected


@pytest.mark.parametrize(
    "text, message",
    [
        ("emotoin: happy", "'emotion'"),
        ("emotion: {0: hapy}", "'happy'"),
        ("gaze: camra", "'camera'"),
        ("gaze: [80, 0]", "25"),
        ("smile: {soon: 1}", "'soon'"),
        ("smile: {-1: 1}", "-1"),
        ("smile: 3", "-1 to 1"),
        ("smile: {}", "no key"),
        ("smile: {1: 0, '1': 1}", "same time"),
        ("blink: [never]", "'never'"),
        ("hold: [[3, 2]]", "before it begins"),
        ("hold: [3]", "from, to"),
        ("camera_x: 0.5", "camera_zoom"),
        ("- smile", "list"),
        ("smile: [", "YAML"),
    ],
)
def test_what_cannot_be_directed_is_refused(tmp_path, text, message):
    path = tmp_path / "scene.yaml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=message):
        read_direction(path)


def test_a_moving_camera_keeps_the_mark_and_changes_its_id(astronaut):
    from animate import pipeline, provenance

    motion = Motion.rest(1.0, 50)
    still = pipeline.render(astronaut, motion, fps=8)
    moving = pipeline.render(astronaut, motion, fps=8, direction=Direction(camera_zoom={0: 1, 1: 1.6}))
    frames = list(moving)
    assert len(frames) == 8 and frames[0].shape == astronaut.image.shape
    assert provenance.detect(frames).mark_id == moving.mark_id != still.mark_id
