"""What a portrait takes over from a motion that it is given."""

import numpy as np
import pytest

from animate.cli import main
from animate.driving import PARTS, drive
from animate.errors import ConfigError
from animate.interchange import load_motion, save_motion
from animate.types import Motion

ONE_OF_EACH = {"pose": "headYaw", "eyes": "eyeBlinkLeft", "brows": "browInnerUp", "lips": "jawOpen"}


@pytest.fixture
def motion():
    times = np.arange(100) / 50
    return Motion.rest(2.0, 50).with_channels(
        headYaw=8 + 4 * np.sin(times), eyeBlinkLeft=0.7, browInnerUp=0.4 + 0.1 * np.sin(9 * times), jawOpen=0.3
    )


@pytest.mark.parametrize("part", PARTS)
def test_only_the_parts_that_are_asked_for_follow(motion, part):
    driven = drive(motion, parts=[part])
    for other, channel in ONE_OF_EACH.items():
        assert np.array_equal(driven[channel], motion[channel]) if other == part else not driven[channel].any()


def test_all_of_it_as_it_stands_by_default(motion):
    assert np.array_equal(drive(motion).values, motion.values)


def test_relative_keeps_the_attitude_and_all_that_moves(motion):
    driven = drive(motion, mode="relative")
    assert abs(np.median(driven["headYaw"])) < 1e-4 and abs(np.median(driven["browInnerUp"])) < 1e-3
    assert np.ptp(driven["headYaw"]) == pytest.approx(np.ptp(motion["headYaw"]), abs=1e-4)
    for absolute in ("jawOpen", "eyeBlinkLeft"):
        assert np.array_equal(driven[absolute], motion[absolute])


@pytest.mark.parametrize("seconds", [1.2, 3.5])
def test_the_rest_is_that_of_another_motion_and_so_is_the_length(motion, seconds):
    spoken = Motion.rest(seconds, 50).with_channels(jawOpen=0.6, headYaw=-3.0)
    driven = drive(motion, parts=["pose"], otherwise=spoken)
    assert len(driven) == len(spoken)
    assert np.allclose(driven["jawOpen"], 0.6)
    assert np.allclose(driven["headYaw"][:50], motion["headYaw"][:50], atol=1e-4)
    assert np.abs(np.diff(driven["headYaw"])).max() < 1  # no jump where the shorter motion ends
    if seconds > 2:
        assert driven["headYaw"][-1] == pytest.approx(-3.0)


def test_wrong_names_are_refused_with_the_right_ones(motion):
    with pytest.raises(ConfigError, match="'nose'.*pose, eyes, brows, lips"):
        drive(motion, parts=["eyes", "nose"])
    with pytest.raises(ConfigError, match="'relativ'.*absolute or relative"):
        drive(motion, mode="relativ")


def test_render_refuses_them_without_a_motion(tmp_path, capsys):
    assert main(["render", "a.png", "b.wav", "-o", str(tmp_path / "o.mp4"), "--motion-parts", "eyes"]) == 2
    assert "--motion" in capsys.readouterr().err


def test_render_follows_the_head_and_speaks_the_voice(tmp_path, motion):
    import skimage.data
    import soundfile
    from PIL import Image

    picture, voice = tmp_path / "portrait.png", tmp_path / "voice.wav"
    Image.fromarray(skimage.data.astronaut()[:300, 80:380]).save(picture)
    times = np.arange(12000) / 16000
    soundfile.write(voice, 0.3 * np.sin(2 * np.pi * 150 * times) * np.sin(2 * np.pi * 3 * times), 16000)
    save_motion(motion, tmp_path / "m.npz")
    flags = ["--motion-mode", "relative", "--motion-parts", "pose", "--num-inference-steps", "2", "--seed", "3"]
    command = ["render", picture, voice, "--motion", tmp_path / "m.npz", *flags, "--save-motion", tmp_path / "out.npz"]
    assert main([*map(str, command), "-o", str(tmp_path / "out.mp4")]) == 0
    done = load_motion(tmp_path / "out.npz")
    wanted = drive(motion, mode="relative")["headYaw"]
    assert np.allclose(done["headYaw"], wanted[: len(done)], atol=1e-3)
    assert done["jawOpen"].any() and not np.allclose(done["jawOpen"], 0.3)
