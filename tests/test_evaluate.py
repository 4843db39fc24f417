"""The measurements: each must see the fault that it is there to see."""

import dataclasses

import cv2
import numpy as np
import pytest

from animate.channels import BLENDSHAPES, INDEX
from animate.cli import main
from animate.errors import DependencyError
from animate.evaluate import Figure, table
from animate.evaluate.closed_loop import closed_loop, read_face, shut_figure
from animate.evaluate.geometry import folds_and_holes
from animate.evaluate.pixels import grey_figure, identity_figure, outside_figure, rest_figure, smoothness_figure
from animate.evaluate.rows import blinks, mirrored, plausible_rows, row, smooth_motion, sweep
from animate.renderer import MeshRenderer
from animate.types import Motion


@pytest.fixture(scope="module")
def renderer(astronaut):
    return MeshRenderer(astronaut)


class Faulty:
    """A renderer that draws another row than it is asked for, or paints over the corner of the frame."""

    def __init__(self, renderer, spoil_row=lambda values: values, spoil_frame=lambda frame: frame):
        self.renderer, self.spoil_row, self.spoil_frame = renderer, spoil_row, spoil_frame
        self.rest_row, self.vertices = renderer.rest_row, renderer.vertices

    def draw(self, values):
        return self.spoil_frame(self.renderer.draw(self.spoil_row(values)))


def by_name(figures) -> dict[str, Figure]:
    return {figure.name: figure for figure in figures}


def test_the_sweep_holds_every_blendshape_once_and_every_turn():
    rows = sweep()
    assert next(iter(rows)) == "rest"
    for name in BLENDSHAPES:
        assert rows[name][INDEX[name]] == 1
    assert {rows[name][INDEX["headYaw"]] for name in rows} >= {-20, 0, 20}


def test_a_row_sets_both_sides_or_the_named_one():
    assert row(eyeBlink=1.0)[[INDEX["eyeBlinkLeft"], INDEX["eyeBlinkRight"]]].tolist() == [1, 1]
    assert row(eyeBlinkLeft=1.0).sum() == 1
    assert row(mouthLeft=1.0).sum() == 1


def test_random_rows_stay_plausible_and_follow_their_seed():
    motion = Motion.rest(1.0, 25).with_channels(jawOpen=np.linspace(0, 0.6, 25), headYaw=30.0)
    rows = plausible_rows(motion, 200, seed=1)
    shapes = rows[:, : len(BLENDSHAPES)]
    assert shapes.min() >= 0 and shapes.max() <= 1
    assert np.abs(rows[:, INDEX["headYaw"]]).max() <= 20
    assert rows[:, INDEX["jawOpen"]].std() > 0.05
    assert np.array_equal(rows, plausible_rows(motion, 200, seed=1))
    assert not np.array_equal(rows, plausible_rows(motion, 200, seed=2))


def test_mirroring_rows_twice_gives_them_back():
    rows = plausible_rows(Motion.rest(1.0, 25), 5, seed=0)
    assert np.array_equal(mirrored(mirrored(rows)), rows)
    assert mirrored(row(eyeBlinkLeft=1.0))[INDEX["eyeBlinkRight"]] == 1


def test_readings_follow_the_mesh(astronaut, renderer):
    rest, wide, shut = (read_face(renderer.vertices(values)) for values in (row(), row(jawOpen=0.5), row(eyeBlink=1.0)))
    unit = astronaut.face.eye_distance
    assert rest.lip_gap < 0.02 * unit < 0.2 * unit < wide.lip_gap
    assert read_face(renderer.vertices(row(jawLeft=1.0))).lip_gap < 0.02 * unit  # it slides and opens nothing
    assert shut.lids.max() < 0.02 < 0.2 < rest.lids.min()
    assert (read_face(renderer.vertices(row(browInnerUp=1.0, browOuterUp=1.0))).brows > rest.brows + 0.1).all()


def test_the_closed_loop_sees_a_renderer_that_does_something_else(astronaut, renderer):
    rows = {"rest": row(), "open": row(jawOpen=0.5), "turned": row(headYaw=12.0)}
    good = by_name(closed_loop(astronaut, renderer, rows))
    bad = by_name(closed_loop(astronaut, Faulty(renderer, spoil_row=lambda values: 0 * values), rows))
    assert good["lip gap"].value < 4 < bad["lip gap"].value
    assert good["head yaw"].value < 1.5 < 3.5 < bad["head yaw"].value


def test_eyes_that_do_not_shut_are_seen(astronaut, renderer):
    half = Faulty(renderer, spoil_row=lambda values: values * 0.5)
    assert shut_figure(astronaut, renderer, blinks()).good
    assert not shut_figure(astronaut, half, blinks()).good


def test_changes_beyond_the_person_are_seen(astronaut, renderer):
    def stained(frame):
        frame[2:4, 2:4] ^= 1
        return frame

    rows = np.stack([row(), row(jawOpen=0.3, headYaw=10.0)])
    assert outside_figure(astronaut, renderer, rows).value == 0
    assert outside_figure(astronaut, Faulty(renderer, spoil_frame=stained), rows).value == 1


def test_a_rest_that_is_not_the_picture_is_seen(astronaut, renderer):
    moved = Faulty(renderer, spoil_row=lambda values: row(browInnerUp=0.3))
    assert rest_figure(astronaut, moved).value > 0


def test_a_tint_in_a_grey_picture_is_seen(astronaut):
    def tinted(portrait):
        return Faulty(MeshRenderer(portrait), spoil_frame=lambda frame: frame + np.array([1, 0, 0], np.uint8))

    assert grey_figure(astronaut, MeshRenderer, [row(jawOpen=0.5)]).value == 0
    assert grey_figure(astronaut, tinted, [row(jawOpen=0.5)]).value > 0


def test_a_pop_is_seen_in_a_smooth_motion(astronaut, renderer):
    def popping(frame):
        frames.append(frame)
        return np.roll(frame, 1, axis=1) if len(frames) == 8 else frame  # one pixel aside, once

    frames = []
    motion = smooth_motion(14)
    assert smoothness_figure(astronaut, renderer, motion).good
    assert smoothness_figure(astronaut, Faulty(renderer, spoil_frame=popping), motion).value > 2


def test_folds_and_holes_are_counted(astronaut, renderer):
    unit = astronaut.face.eye_distance
    assert by_name(folds_and_holes(renderer, unit, [row()]))["folded triangles"].value == 0
    torn = MeshRenderer(astronaut)
    middle = torn.mesh.num_face + 5
    rig = torn.rig.neutral.copy()
    rig[middle, :2] += 3 * unit  # far across its neighbours
    torn.rig = dataclasses.replace(torn.rig, neutral=rig)
    assert by_name(folds_and_holes(torn, unit, [row()]))["folded triangles"].value > 0
    holed = MeshRenderer(astronaut)
    holed.mesh = dataclasses.replace(holed.mesh, triangles=holed.mesh.triangles[::2].copy())
    assert by_name(folds_and_holes(holed, unit, [row()]))["uncovered pixels"].value > 100


def test_identity_needs_its_model(astronaut, renderer, tmp_path):
    with pytest.raises(DependencyError, match="sface.onnx"):
        identity_figure(astronaut, renderer, [row()], tmp_path / "sface.onnx")


def test_identity_tells_the_portrait_from_another_face(shared, astronaut, renderer):
    model = shared / "models" / "sface.onnx"
    if not model.is_file():
        pytest.skip("the face recogniser is not beside this checkout")
    other = np.ascontiguousarray(astronaut.image[:, ::-1] // 3 + 40)
    same = identity_figure(astronaut, renderer, [row(jawOpen=0.2)], model)
    noise = Faulty(renderer, spoil_frame=lambda frame: frame // 4 + other // 4)
    assert same.good and same.value > identity_figure(astronaut, noise, [row()], model).value


def test_the_table_marks_what_misses_its_bar():
    lines = table([Figure("lip gap", 4.0, "%", 3.0), Figure("identity", 0.95, "cosine", 0.9, at_least=True)])
    assert [line.split()[0] for line in lines.splitlines()] == ["MISS", "ok"]


def test_the_command_refuses_a_motion_file_that_is_none(tmp_path, astronaut, capsys):
    picture = tmp_path / "portrait.png"
    cv2.imwrite(str(picture), astronaut.image[..., ::-1])
    assert main(["evaluate", str(picture), "--motion", str(tmp_path / "none.npz")]) == 2
    assert "none.npz" in capsys.readouterr().err
