"""Several people in one picture: found, numbered, cut apart, and moved each on their own."""

import json

import cv2
import numpy as np
import pytest
import skimage.data
import soundfile
from PIL import Image

import animate
from animate.cli import main
from animate.errors import ConfigError, PortraitError
from animate.evaluate.rows import row
from animate.people.group import perform_together
from animate.people.mixing import mixed
from animate.portrait import find_faces, people_from_image, portrait_from_image
from animate.portrait.people import front_first
from animate.portrait.turning import turn_range
from animate.renderer import GroupRenderer, MeshRenderer
from animate.topology import NOSE_TIP, canonical_vertices
from animate.types import Motion, Speech


def bust():
    return skimage.data.astronaut()[:300, 80:380]


def side_by_side():
    """The astronaut, and her mirror image at 1.2 times the size, 660 x 360."""
    scene = np.full((360, 660, 3), 120, np.uint8)
    scene[60:, :300] = bust()
    scene[:, 300:] = cv2.resize(bust()[:, ::-1], (360, 360), interpolation=cv2.INTER_AREA)
    return scene


@pytest.fixture(scope="module")
def pair():
    return people_from_image(side_by_side(), name="pair")


@pytest.fixture(scope="module")
def group(pair):
    return GroupRenderer(list(pair.values()))


def rest_rows(group):
    return [renderer.rest_row for renderer in group.renderers]


def test_faces_are_numbered_from_left_to_right_whatever_their_size():
    faces = find_faces(side_by_side())
    assert [face.number for face in faces] == [1, 2]
    assert faces[0].box[2] < 300 < faces[1].box[0]
    assert faces[1].width_px == pytest.approx(1.2 * faces[0].width_px, rel=0.05)
    assert all(face.can_be_animated and not face.reason for face in faces)
    mirrored = find_faces(np.ascontiguousarray(side_by_side()[:, ::-1]))
    assert [face.number for face in mirrored] == [1, 2] and mirrored[0].width_px > mirrored[1].width_px


def test_a_small_face_beside_a_large_one_is_listed_with_its_reason():
    scene = np.full((512, 700, 3), 120, np.uint8)
    scene[:, :512] = skimage.data.astronaut()
    scene[200:380, 515:695] = cv2.resize(bust(), (180, 180), interpolation=cv2.INTER_AREA)
    large, small = find_faces(scene)
    assert large.can_be_animated and not small.can_be_animated
    assert "too small" in small.reason and "larger scan" in small.reason
    assert portrait_from_image(scene).face.vertices[NOSE_TIP, 0] < 512


def test_without_a_number_the_largest_is_taken_and_that_is_said(caplog):
    portrait = portrait_from_image(side_by_side(), name="pair.png")
    assert portrait.face.vertices[NOSE_TIP, 0] > 300
    assert "pair.png shows 2 faces; face 2 is taken" in caplog.text


def test_one_person_needs_no_choice(caplog):
    portrait_from_image(bust())
    assert "faces" not in caplog.text


def test_a_face_is_chosen_by_its_number():
    assert portrait_from_image(side_by_side(), face=1).face.vertices[NOSE_TIP, 0] < 300


@pytest.mark.parametrize("number", [0, 3])
def test_a_number_that_is_not_there_is_refused_with_those_that_are(number):
    with pytest.raises(PortraitError, match=rf"no face {number} in pair.png: it has 1, 2"):
        portrait_from_image(side_by_side(), name="pair.png", face=number)


def test_every_head_belongs_to_one_person(pair):
    assert sum(portrait.matte for portrait in pair.values()).max() < 1.15  # a little more where one passes into another
    for own, other in ((pair[1], pair[2]), (pair[2], pair[1])):
        x, y = own.face.vertices[:468, :2].astype(int).T
        assert own.matte[y, x].min() > 0.5 and other.matte[y, x].max() < 0.1


def test_who_is_lower_stands_in_front_and_so_does_a_face_on_anothers_head():
    face = np.vstack([10 * canonical_vertices(), np.zeros((10, 3))])
    high, low = face + (300, 200, 0), face + (500, 300, 0)
    assert front_first([high, low], (600, 800)) == [1, 0]
    small_on_large = [0.5 * face + (250, 180, 0), 2 * face + (300, 200, 0)]
    assert front_first(small_on_large, (600, 800)) == [0, 1]


def test_a_group_at_rest_is_the_picture(group):
    assert np.array_equal(group.draw(rest_rows(group)), side_by_side())


@pytest.mark.parametrize("mover", [0, 1])
def test_who_moves_changes_no_pixel_of_the_other(pair, group, mover):
    rows = rest_rows(group)
    rows[mover] = row(headYaw=6.0, headRoll=3.0, jawOpen=0.4, eyeBlink=1.0)
    changed = np.abs(group.draw(rows).astype(int) - side_by_side()).max(axis=2)
    other = list(pair.values())[1 - mover]
    core = cv2.erode((other.matte > 0.9).astype(np.uint8), np.ones((25, 25), np.uint8)) > 0
    assert core.sum() > 5000 and changed[core].max() == 0
    assert changed.max() > 30


def test_the_background_never_changes(pair, group):
    anyone = np.max([portrait.matte for portrait in pair.values()], axis=0)
    far = cv2.dilate((anyone > 0.05).astype(np.uint8), np.ones((121, 121), np.uint8)) == 0
    frame = group.draw([row(headYaw=8.0, headPitch=-5.0)] * 2)
    assert far.sum() > 500 and np.array_equal(frame[far], side_by_side()[far])


def test_who_stands_before_is_drawn_over_who_stands_behind():
    scene = np.full((420, 520, 3), 130, np.uint8)
    front = portrait_from_image(np.ascontiguousarray(bust()[:, ::-1]))
    scene[:300, :300] = bust()
    cut = front.matte[..., None]
    scene[100:400, 140:440] = cut * front.image + (1 - cut) * scene[100:400, 140:440]
    people = people_from_image(scene)
    behind, before = people[1], people[2]
    assert behind.in_front is not None and before.in_front is None
    rows = [row(headYaw=-10.0, headX=0.15), row()]
    face = before.face.vertices[:468, :2].astype(int)
    frame = GroupRenderer([behind, before]).draw(rows)
    still = GroupRenderer([behind, before]).draw([row(), row()])
    assert np.abs(frame.astype(int) - still)[face[:, 1], face[:, 0]].max() == 0
    alone = MeshRenderer(behind).draw(rows[0])  # the one before is none of the group, and is not painted over
    assert np.abs(alone.astype(int) - scene)[face[:, 1], face[:, 0]].max() == 0


def test_a_group_needs_one_picture(astronaut, pair):
    with pytest.raises(PortraitError, match="one and the same picture"):
        GroupRenderer([astronaut, pair[1]])


def test_a_choir_sings_with_one_mouth_and_different_heads(pair, animator, voice):
    short = Speech(voice.samples[: voice.sample_rate], voice.sample_rate, sha256="5" * 64)
    first, second = perform_together(pair, short, model=animator.model, consent="fictional").performers
    assert np.abs(first.motion["jawOpen"] - second.motion["jawOpen"]).max() < 0.1
    assert np.abs(first.motion["headYaw"] - second.motion["headYaw"]).max() > 0.5


def test_voices_of_different_lengths_end_together_and_are_all_named(tmp_path, pair, animator, voice):
    short, long = (
        Speech(voice.samples[: round(length * voice.sample_rate)], voice.sample_rate, sha256=str(place) * 64)
        for place, length in ((4, 0.4), (5, 0.8))
    )
    group = perform_together(pair, {1: short, 2: long}, model=animator.model, consent="fictional")
    assert len({performer.motion.duration_s for performer in group.performers}) == 1
    verdict = animate.verify(group.save(tmp_path / "duet.mp4"))
    assert verdict.marked and verdict.mark_id == group.frames().mark_id and verdict.credentials.consent == "fictional"
    import c2pa

    manifest = json.loads(c2pa.Reader(str(tmp_path / "duet.mp4")).json())
    parts = manifest["manifests"][manifest["active_manifest"]]["ingredients"]
    assert sorted(part["title"] for part in parts) == ["portrait", "voice 1", "voice 2"]


def test_a_voice_for_nobody_is_refused(pair, voice):
    with pytest.raises(ConfigError, match="no face 7.*1, 2"):
        perform_together(pair, {7: voice})


def test_a_mix_never_clips():
    loud = Speech(np.full(100, 0.9, np.float32), 8000)
    assert np.abs(mixed([loud, loud, loud]).samples).max() <= 1
    assert mixed([loud]) is loud


def test_a_three_quarter_portrait_turns_further_towards_the_side_it_shows():
    face = np.vstack([20 * canonical_vertices(), np.zeros((10, 3))])
    left, right = turn_range(face)
    assert abs(left - right) <= 2
    angle = np.radians(30)
    turned = face.copy()
    turned[:, 0] = np.cos(angle) * face[:, 0] - np.sin(angle) * face[:, 2]
    turned[:, 2] = np.sin(angle) * face[:, 0] + np.cos(angle) * face[:, 2]
    left, right = turn_range(turned)
    assert 0 < min(left, right) <= 15


@pytest.fixture
def picture(tmp_path):
    Image.fromarray(side_by_side()).save(tmp_path / "pair.png")
    return tmp_path / "pair.png"


def test_people_of_an_old_photograph_are_restored_together(tmp_path):
    faded = (side_by_side() // 2 + 50).astype(np.uint8)
    Image.fromarray(faded).save(tmp_path / "old.png")
    people = animate.read_people(tmp_path / "old.png", restore="contrast")
    assert all(np.array_equal(one.original, faded) for one in people.values())
    assert np.array_equal(people[1].image, people[2].image) and np.ptp(people[1].image) > np.ptp(faded)
    assert people[1].restoration[0].done and people[1].restoration == people[2].restoration


def test_faces_lists_draws_and_marks(tmp_path, picture, capsys):
    assert main(["faces", str(picture), "-o", str(tmp_path / "numbers.png"), "--json"]) == 0
    listed = json.loads(capsys.readouterr().out)
    assert [face["number"] for face in listed] == [1, 2] and all(face["turn_left_deg"] > 5 for face in listed)
    drawn = np.asarray(Image.open(tmp_path / "numbers.png"))
    assert drawn.shape == side_by_side().shape
    assert animate.verify(tmp_path / "numbers.png").credentials.state in ("trusted", "unknown signer")
    assert main(["faces", str(picture)]) == 0
    assert "degrees further left" in capsys.readouterr().out


def test_faces_says_no_where_there_is_none(tmp_path, capsys):
    Image.fromarray(np.full((300, 300, 3), 90, np.uint8)).save(tmp_path / "wall.png")
    assert main(["faces", str(tmp_path / "wall.png")]) == 2
    assert "No face found" in capsys.readouterr().err


@pytest.mark.parametrize(
    "options, message",
    [
        (["--face", "5"], "it has 1, 2"),
        (["--face", "all", "--motion", "m.npz"], "for one face"),
        (["--voice", "1=a.wav"], "Leave out"),
        (["--face", "all", "--report"], "for one face"),
        (["--face", "all", "--transcript", "t.txt"], "--captions"),
    ],
)
def test_an_impossible_choice_is_explained(tmp_path, picture, capsys, options, message):
    soundfile.write(tmp_path / "v.wav", 0.1 * np.sin(np.arange(8000) * 0.1), 16000)
    arguments = ["render", str(picture), str(tmp_path / "v.wav"), "-o", str(tmp_path / "o.mp4"), "--consent", "self"]
    assert main([*arguments, *options]) == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "o.mp4").exists()


def test_all_faces_are_rendered_from_the_command_line(tmp_path, picture):
    soundfile.write(tmp_path / "v.wav", 0.3 * np.sin(np.arange(8000) * 0.1), 16000)
    common = ["-o", str(tmp_path / "o.mp4"), "--consent", "fictional", "--num-inference-steps", "2"]
    assert main(["render", str(picture), str(tmp_path / "v.wav"), "--face", "all", *common]) == 0
    assert animate.verify(tmp_path / "o.mp4").marked
    assert main(["render", str(picture), "--voice", f"2={tmp_path / 'v.wav'}", *common]) == 0


def test_a_rest_motion_of_a_group_lasts_as_long_as_the_shortest(group):
    motions = [Motion.rest(0.2, 25), Motion.rest(0.12, 25)]
    assert len(list(group.frames(motions))) == 3
