"""Portraits that come alive without a voice, in Python and on the command line."""

from dataclasses import replace

import numpy as np
import pytest
import skimage.data
from PIL import Image

import animate
from animate.channels import INDEX
from animate.cli import main
from animate.config import RenderConfig
from animate.media import read_frames
from animate.pipeline import Clip
from animate.reviving import contact_sheet
from animate.types import Motion


@pytest.fixture(scope="module")
def picture(tmp_path_factory):
    path = tmp_path_factory.mktemp("pictures") / "portrait.png"
    Image.fromarray(skimage.data.astronaut()[:296, 84:380]).save(path)
    return path


@pytest.fixture(scope="module")
def portrait(picture):
    return animate.read_portrait(picture)


def differences(frames):
    """Mean difference of each frame from the one before it, of the first from the last."""
    return [float(np.abs(frames[i].astype(np.float32) - frames[i - 1]).mean()) for i in range(len(frames))]


def test_a_loop_is_closed_in_the_frames(portrait):
    clip = animate.revive(portrait, "curious", duration_s=2.0, loop=True, seed=5, consent="self")
    again = Motion(np.tile(clip.motion.values, (2, 1)), clip.motion.fps)
    twice = list(animate.render(portrait, again, mark_id="0123456789ab", consent="self"))
    once = list(animate.render(portrait, clip.motion, mark_id="0123456789ab", consent="self"))
    assert len(twice) == 2 * len(once) == 100
    assert np.array_equal(twice[50], once[0])  # what follows the last frame is the first
    seam, *others = differences(once)
    assert 0 < seam <= 1.2 * max(others)


def test_without_a_loop_the_picture_comes_first_and_last(portrait):
    clip = animate.revive(portrait, "gentle", duration_s=2.0, consent="self", size=str(portrait.image.shape[0]))
    frames = list(clip.frames())
    assert len(frames) == 50
    for frame in (frames[0], frames[-1]):
        assert np.abs(frame.astype(np.float32) - portrait.image).mean() < 1.5  # the mark
    assert max(differences(frames)[1:]) > 0.5


def test_lips_that_are_apart_stay_so_unless_they_kiss(portrait):
    clip = animate.revive(portrait, "blow-a-kiss", duration_s=6.0, consent="self")
    parted = clip.motion["mouthLowerDownLeft"] + clip.motion["mouthUpperUpLeft"] + clip.motion["jawOpen"]
    assert parted[0] > 0.1  # she smiles with her teeth
    assert parted[clip.motion["mouthPucker"] > 0.6].min() < 0.01
    closed = replace(portrait, face=replace(portrait.face, neutral=portrait.face.vertices))
    assert not animate.revive(closed, "gentle", consent="self").motion.values[0].any()


def test_settings_reach_the_performance(portrait):
    clip = animate.revive(portrait, "look-around", consent="self", seed=3, fps=24, config=RenderConfig(head_motion=0))
    assert clip.config.seed == 3 and clip.frames().num_frames == 192
    assert not clip.motion["headYaw"].any()


@pytest.mark.parametrize(
    "given, message",
    [
        ({"performance": "gentel"}, "'gentle'"),
        ({"duration_s": 0.5}, "2 to 600"),
        ({"emotion": "happy"}, "emotion is for the generated motion"),
        ({"sede": 7}, "'seed'"),
        ({"consent": "permision:1"}, "permission"),
    ],
)
def test_what_cannot_be_revived_is_refused(portrait, given, message):
    with pytest.raises(animate.AnimateError, match=message):
        animate.revive(portrait, **given)


def test_a_performance_hands_over_to_speech_and_takes_over_from_it(portrait, voice):
    said = replace(voice, samples=voice.samples[: 2 * voice.sample_rate])
    motion = Motion.rest(2.0, 50).with_channels(jawOpen=0.3 * np.sin(np.arange(100) / 4) ** 2, headYaw=4.0)
    clip = Clip(portrait, motion, said, RenderConfig())
    whole = animate.with_performances(clip, before="greeting", after="nod-yes", duration_s=3.0)
    assert whole.motion.duration_s == pytest.approx(8.0) and whole.speech.duration_s == pytest.approx(5.0)
    assert np.abs(whole.motion.values[150:250] - motion.values).max() < 1e-6  # what is said stays whole
    assert not whole.speech.samples[: 3 * said.sample_rate].any()
    assert np.array_equal(whole.speech.samples[3 * said.sample_rate :], said.samples)
    assert whole.motion["browOuterUpLeft"][:150].max() > 0.4 and np.ptp(whole.motion["headPitch"][250:]) > 5
    assert np.abs(np.diff(whole.motion["headYaw"])).max() < 1.0  # degrees a row: no jump where they meet
    assert whole.motion.values[-1, INDEX["headYaw"]] == 0
    assert animate.with_performances(clip).motion is motion


def test_the_command_revives_a_picture(tmp_path, picture, capsys):
    out, kept = tmp_path / "out.mp4", tmp_path / "motion.npz"
    asked = ["--performance", "wink", "--seconds", "2", "--loop", "--consent", "self", "--save-motion", str(kept)]
    assert main(["revive", str(picture), "-o", str(out), *asked]) == 0
    assert capsys.readouterr().out.strip() == str(out)
    assert animate.verify(out).marked and len(list(read_frames(out))) == 50
    assert len(animate.load_motion(kept)) == 100


def test_the_performances_are_listed_and_shown(tmp_path, picture, capsys):
    assert main(["performances"]) == 0
    listed = capsys.readouterr().out
    assert len(listed.splitlines()) >= 13 and "blow-a-kiss" in listed
    sheet = tmp_path / "sheet.png"
    assert main(["performances", str(picture), "-o", str(sheet), "--consent", "self"]) == 0
    verdict = animate.verify(sheet)
    assert verdict.credentials.state == "trusted"
    assert verdict.mark_id == contact_sheet(picture, consent="self").mark_id  # the same each time
    assert not animate.verify(picture).marked


@pytest.mark.parametrize(
    "arguments, message",
    [
        (["revive", "PICTURE", "-o", "out.mp4", "--performance", "gentel"], "'gentle'"),
        (["revive", "PICTURE", "-o", "out.mp4", "--seconds", "0"], "2 to 600"),
        (["revive", "PICTURE", "-o", "out.mp4", "--fps", "often"], "often"),
        (["revive", "nobody.png", "-o", "out.mp4"], "nobody.png"),
        (["revive", "PICTURE", "-o", "no/folder/out.mp4"], "folder"),
        (["performances", "PICTURE"], "-o SHEET.png"),
        (["performances", "-o", "sheet.png"], "needs a portrait"),
        (["performances", "PICTURE", "-o", "sheet.docx"], "docx"),
        (["performances", "PICTURE", "-o", "no/folder/sheet.png"], "folder"),
    ],
)
def test_a_users_mistake_is_explained_and_leaves_nothing(tmp_path, picture, capsys, monkeypatch, arguments, message):
    monkeypatch.chdir(tmp_path)
    assert main([str(picture) if argument == "PICTURE" else argument for argument in arguments]) == 2
    assert message in capsys.readouterr().err
    assert not list(tmp_path.iterdir())
