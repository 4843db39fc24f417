"""The renderer as a user sees it: rows of a motion in, frames out."""

import dataclasses

import cv2
import numpy as np
import pytest

from animate.channels import BLENDSHAPES, CHANNELS, INDEX
from animate.portrait import portrait_from_image
from animate.renderer import MeshRenderer
from animate.topology import LIPS_INNER_LOWER, LIPS_INNER_UPPER, MIRROR
from animate.types import FaceMesh, Motion, Portrait


def row(**channels: float) -> np.ndarray:
    """Return one row of a motion; a name without its side sets both sides."""
    values = np.zeros(len(CHANNELS), np.float32)
    for name, value in channels.items():
        for column in (name, name + "Left", name + "Right"):
            if column in INDEX:
                values[INDEX[column]] = value
    return values


ROWS = {
    "rest": row(),
    "speech": row(jawOpen=0.3, mouthFunnel=0.3, mouthUpperUp=0.2, headYaw=5, headPitch=-4, headRoll=3),
    "blink": row(eyeBlink=1.0, eyeLookDown=0.3, browInnerUp=0.5),
    "turn": row(headYaw=-12, headPitch=6, headRoll=-8, mouthSmile=0.6, eyeLookOutLeft=0.7, eyeLookInRight=0.7),
    "tongue": row(jawOpen=0.4, tongueOut=0.8, cheekPuff=0.5),
}


def near(portrait: Portrait, vertices, radius: float) -> np.ndarray:
    """Return bool [H, W]: within `radius` eye distances of any of the vertices."""
    far = np.ones(portrait.image.shape[:2], np.uint8)
    for x, y in portrait.face.vertices[list(vertices), :2]:
        cv2.circle(far, (round(float(x)), round(float(y))), 0, 0, -1)
    return cv2.distanceTransform(far, cv2.DIST_L2, 5) <= radius * portrait.face.eye_distance


def lip_gap(face: FaceMesh) -> float:
    gaps = face.vertices[list(LIPS_INNER_LOWER), :2] - face.vertices[list(LIPS_INNER_UPPER), :2]
    return float(np.hypot(*gaps.T).max()) / face.eye_distance


def lid_gap(face: FaceMesh) -> float:
    """Return the mean distance of the lids over the width of the eye: the eye aspect ratio."""
    v = face.vertices[:, :2]
    return float(np.mean([np.linalg.norm(v[159] - v[145]) / np.linalg.norm(v[33] - v[133]),
                          np.linalg.norm(v[386] - v[374]) / np.linalg.norm(v[263] - v[362])]))  # fmt: skip


@pytest.fixture(scope="module")
def renderer(astronaut) -> MeshRenderer:
    return MeshRenderer(astronaut)


def test_rest_returns_the_picture_away_from_lips_that_had_to_close(astronaut, renderer):
    frame = renderer.draw(row())
    changed = (frame != astronaut.image).any(axis=2)
    assert changed.any(), "the smile of the example shows teeth, so its lips must have closed"
    lower_face = near(astronaut, (0, 17, 61, 291, 152, 172, 397), 1.4)
    lower_face[: round(float(astronaut.face.vertices[5, 1]))] = False  # the nose
    assert not changed[~lower_face].any()


@pytest.mark.parametrize("name", ["painting_woman.png", "cartoon_3d_boy.jpg", "painting_mona_lisa.jpg"])
def test_rest_returns_exactly_the_picture_where_the_mouth_is_closed(shared, name):
    from animate.portrait import read_portrait

    portrait = read_portrait(shared / "portraits" / name)
    assert np.array_equal(MeshRenderer(portrait).draw(row()), portrait.image)


def test_rest_closes_a_mouth_that_the_picture_shows_open(astronaut, renderer):
    assert lip_gap(astronaut.face) > 0.1
    assert lip_gap(portrait_from_image(renderer.draw(row())).face) < 0.05


def test_the_row_of_rest_gives_a_parted_mouth_back_and_leads_to_it_without_a_jump(astronaut, renderer):
    assert np.array_equal(renderer.draw(renderer.rest_row), astronaut.image)
    assert renderer.rest_row.max() > 0.2
    mouth = near(astronaut, (61, 291, 13, 14), 0.4)
    closed, half, almost = (
        np.abs(renderer.draw(share * renderer.rest_row).astype(int) - astronaut.image)[mouth].mean()
        for share in (0.0, 0.5, 0.999)
    )
    assert almost < 4 < half < closed


def test_jaw_opens_the_mouth_and_mouth_close_seals_it(renderer):
    opened = lip_gap(portrait_from_image(renderer.draw(row(jawOpen=0.3))).face)
    wide = lip_gap(portrait_from_image(renderer.draw(row(jawOpen=0.6))).face)
    sealed = lip_gap(portrait_from_image(renderer.draw(row(jawOpen=0.3, mouthClose=0.3))).face)
    assert 0.13 < opened < 0.3
    assert wide > opened + 0.12
    assert sealed < 0.06


def test_blink_closes_the_eyes_and_nothing_else(astronaut, renderer):
    blinked, rest = renderer.draw(row(eyeBlink=1.0)), renderer.draw(row())
    changed = (blinked != rest).any(axis=2)
    eyes = near(astronaut, (33, 133, 159, 145, 263, 362, 386, 374), 0.4)
    assert changed[eyes].any()
    assert not changed[~eyes].any()
    assert lid_gap(portrait_from_image(rest).face) > 0.25
    assert lid_gap(portrait_from_image(blinked).face) < 0.12


def test_a_closed_eye_shows_no_iris(astronaut):
    portrait = _with_red_irises(astronaut)
    renderer = MeshRenderer(portrait)

    def red(frame):
        return int(((frame[..., 0] > 200) & (frame[..., 1] < 60)).sum())

    assert red(renderer.draw(row())) > 20
    assert red(renderer.draw(row(eyeBlink=1.0))) == 0
    assert red(renderer.draw(row(eyeBlink=1.0, eyeLookDown=1.0, eyeSquint=0.5))) == 0


def test_gaze_moves_the_irises_to_the_named_side(astronaut):
    renderer = MeshRenderer(_with_red_irises(astronaut))

    def place(**channels):
        frame = renderer.draw(row(**channels))
        y, x = np.nonzero((frame[..., 0] > 200) & (frame[..., 1] < 60))
        return np.array([x.mean(), y.mean()]) / astronaut.face.eye_distance

    ahead = place()
    assert (place(eyeLookOutLeft=0.6, eyeLookInRight=0.6) - ahead)[0] > 0.02
    assert (place(eyeLookInLeft=0.6, eyeLookOutRight=0.6) - ahead)[0] < -0.02
    assert (place(eyeLookDown=0.6) - ahead)[1] > 0.015
    assert (place(eyeLookUp=0.6) - ahead)[1] < -0.015


def test_a_moved_iris_leaves_nothing_behind(astronaut):
    renderer = MeshRenderer(_with_red_irises(astronaut))
    radius = float(np.hypot(*(astronaut.face.vertices[469] - astronaut.face.vertices[468])[:2]))
    for channels in ({"eyeLookOutLeft": 1.0, "eyeLookInRight": 1.0}, {"eyeLookUp": 1.0}):
        frame = renderer.draw(row(**channels))
        y, x = np.nonzero((frame[..., 0] > 200) & (frame[..., 1] < 60))
        right = x < astronaut.face.vertices[168, 0]
        for eye in (right, ~right):
            assert eye.sum() > 5
            assert np.hypot(x[eye] - x[eye].mean(), y[eye] - y[eye].mean()).max() < 1.6 * radius


def _with_red_irises(portrait: Portrait) -> Portrait:
    image = portrait.image.copy()
    for centre, rim in ((468, 469), (473, 474)):
        (x, y), edge = portrait.face.vertices[centre, :2], portrait.face.vertices[rim, :2]
        inside = np.hypot(*(np.indices(image.shape[:2])[::-1] - np.array([x, y])[:, None, None])) <= np.hypot(
            *(edge - (x, y))
        )
        opening = np.zeros(image.shape[:2], np.uint8)
        lids = (33, 161, 160, 159, 158, 157, 133, 154, 153, 145, 144, 163)
        lids = lids if centre == 468 else MIRROR[list(lids)]
        cv2.fillPoly(opening, [np.round(portrait.face.vertices[list(lids), :2]).astype(np.int32)], 1)
        image[inside & (opening > 0)] = (255, 0, 0)
    return dataclasses.replace(portrait, image=image)


@pytest.mark.parametrize(
    ("channel", "measure", "sign"),
    [("headYaw", "yaw_deg", 1), ("headPitch", "pitch_deg", 1), ("headRoll", "roll_deg", 1)],
)
def test_the_head_turns_as_the_motion_asks(renderer, channel, measure, sign):
    angles = [getattr(portrait_from_image(renderer.draw(row(**{channel: a}))).face.pose, measure) for a in (-8, 8)]
    assert sign * (angles[1] - angles[0]) == pytest.approx(16, abs=6)


def test_the_head_moves_as_the_motion_asks(renderer):
    rest, moved, nearer = (
        portrait_from_image(renderer.draw(values)).face
        for values in (row(), row(headX=0.15, headY=0.1), row(headZ=1.0))
    )
    shift = (moved.vertices[1, :2] - rest.vertices[1, :2]) / rest.eye_distance
    assert shift == pytest.approx([0.15, 0.1], abs=0.05)
    assert nearer.eye_distance / rest.eye_distance == pytest.approx(1.09, abs=0.03)


def test_head_motion_leaves_the_rest_of_the_picture_alone(astronaut, renderer):
    far = ~near(astronaut, range(468), 2.75)
    far[[0, -1]] = far[:, [0, -1]] = True
    for yaw, pitch, roll in ((12, 12, 12), (-12, -12, -12), (0, 12, -12), (12, 0, 0)):
        frame = renderer.draw(row(headYaw=yaw, headPitch=pitch, headRoll=roll))
        changed = (frame != astronaut.image).any(axis=2)
        assert changed.any()
        assert not changed[far].any()


def test_shoulders_rise_with_a_breath_and_stay_in_a_nod(astronaut, renderer):
    shoulders = (renderer.mesh.chest_weight > 0.9) & (renderer.mesh.head_weight == 0)

    def rise(**channels):
        moved = renderer.vertices(row()) - renderer.vertices(row(**channels))
        return moved[shoulders, 1] / astronaut.face.eye_distance

    assert shoulders.any()
    assert np.all((0.003 < rise(headZ=0.006)) & (rise(headZ=0.006) < 0.03))
    assert np.all(rise(headZ=1.5) < 0.05)
    assert np.abs(rise(headPitch=-10)).max() == 0


def test_no_tear_opens_in_a_turning_head(astronaut):
    """Colours that rise evenly over the picture must still rise without a jump after any turn."""
    height, width = astronaut.image.shape[:2]
    y, x = np.mgrid[:height, :width]
    image = np.stack([x * 255 / width, y * 255 / height, 0 * x], axis=2).astype(np.uint8)
    everyone = np.full((height, width), 0.7, np.float32)  # a person, but no clothes that turn less than a head
    face = dataclasses.replace(astronaut.face, vertices=astronaut.face.neutral)
    renderer = MeshRenderer(dataclasses.replace(astronaut, image=image, matte=everyone, face=face))
    head = near(astronaut, range(468), 1.2)
    alone = [angles for a in (-12, 12) for angles in ((a, 0, 0), (0, a, 0), (0, 0, a))]
    together = [(a, b, c) for a in (-8, 8) for b in (-8, 8) for c in (-8, 8)]
    for yaw, pitch, roll in alone + together:
        frame = renderer.draw(row(headYaw=yaw, headPitch=pitch, headRoll=roll)).astype(int)
        down, across = np.abs(np.diff(frame, axis=0)).max(axis=2), np.abs(np.diff(frame, axis=1)).max(axis=2)
        assert max(down[head[1:]].max(), across[head[:, 1:]].max()) <= 6, (yaw, pitch, roll)  # 12 px of 512


def test_a_face_that_the_picture_cuts_close_moves_less_and_still_speaks(astronaut):
    points = astronaut.face.vertices[:468, :2]
    (left, top), (right, bottom) = np.floor(points.min(axis=0)).astype(int), np.ceil(points.max(axis=0)).astype(int)
    corner = np.array([left, top, 0], np.float32)
    face = FaceMesh(
        astronaut.face.vertices - corner, astronaut.face.triangles, astronaut.face.neutral - corner, astronaut.face.pose
    )
    image, matte = (np.ascontiguousarray(a[top:bottom, left:right]) for a in (astronaut.image, astronaut.matte))
    tight = MeshRenderer(Portrait(image, face, matte))

    def shift(renderer, corner, **channels):  # of the picture at the tip of the nose, by phase correlation
        x, y = astronaut.face.vertices[4, :2].astype(int) - corner
        window = np.s_[y - 16 : y + 16, x - 16 : x + 16]
        rest, moved = (
            cv2.cvtColor(renderer.draw(row(**c))[window], cv2.COLOR_RGB2GRAY).astype(np.float32) for c in ({}, channels)
        )
        return cv2.phaseCorrelate(rest, moved, cv2.createHanningWindow((32, 32), cv2.CV_32F))[0][0]

    free = shift(MeshRenderer(astronaut), np.zeros(2, int), headYaw=6)
    assert free > 1.5
    assert 0.1 < shift(tight, np.array([left, top]), headYaw=6) < 0.5 * free
    mouth = np.abs(tight.draw(row(jawOpen=0.4)).astype(int) - tight.draw(row())).sum(axis=2)
    assert mouth.max() > 200


def test_grey_stays_exactly_grey(astronaut):
    grey = np.repeat(cv2.cvtColor(astronaut.image, cv2.COLOR_RGB2GRAY)[..., None], 3, axis=2)
    renderer = MeshRenderer(dataclasses.replace(astronaut, image=grey))
    for name, values in ROWS.items():
        frame = renderer.draw(values).astype(int)
        assert np.ptp(frame, axis=2).max() == 0, name


def test_a_mirrored_portrait_gives_the_mirrored_video(astronaut, renderer):
    mirrored = MeshRenderer(_mirrored(astronaut))
    for name, values in ROWS.items():
        difference = mirrored.draw(_mirrored_row(values))[:, ::-1].astype(int) - renderer.draw(values)
        assert np.abs(difference).mean() < 1, name
    # The same row without mirroring gives another video, so the comparison means something.
    assert np.abs(mirrored.draw(ROWS["turn"])[:, ::-1].astype(int) - renderer.draw(ROWS["turn"])).mean() > 1


def _mirrored(portrait: Portrait) -> Portrait:
    def flip(vertices):
        flipped = vertices[MIRROR].copy()
        flipped[:, 0] = portrait.image.shape[1] - 1 - flipped[:, 0]
        return flipped

    face = FaceMesh(flip(portrait.face.vertices), portrait.face.triangles, flip(portrait.face.neutral))
    image, matte = np.ascontiguousarray(portrait.image[:, ::-1]), np.ascontiguousarray(portrait.matte[:, ::-1])
    return Portrait(image, face, matte)


def _mirrored_row(values: np.ndarray) -> np.ndarray:
    mirrored = values.copy()
    for name in BLENDSHAPES:
        other = name.replace("Left", "#").replace("Right", "Left").replace("#", "Right")
        mirrored[INDEX[name]] = values[INDEX[other]]
    for name in ("headYaw", "headRoll", "headX"):
        mirrored[INDEX[name]] = -values[INDEX[name]]
    return mirrored


@pytest.mark.parametrize("channel", BLENDSHAPES)
def test_every_blendshape_acts_on_its_own_side(astronaut, renderer, channel):
    base = {"jawOpen": 0.3} if channel in ("mouthClose", "tongueOut") else {}
    change = np.abs(renderer.draw(row(**base, **{channel: 1.0})).astype(int) - renderer.draw(row(**base))).sum(axis=2)
    assert change.sum() > 500
    # The bridge of the nose divides the picture; the subject's left is on its right.
    bridge = round(float(astronaut.face.vertices[168, 0]))
    if channel.endswith(("Left", "Right")) and channel not in ("mouthLeft", "mouthRight", "jawLeft", "jawRight"):
        right, left = change[:, :bridge].sum(), change[:, bridge:].sum()
        assert (left > 2 * right) if channel.endswith("Left") else (right > 2 * left)


def test_frames_are_drawn_one_by_one_as_they_are_asked_for(renderer, monkeypatch):
    drawn = []
    draw = renderer.draw
    monkeypatch.setattr(renderer, "draw", lambda values: drawn.append(1) or draw(values))
    frames = renderer.frames(Motion.rest(duration_s=3600, fps=25))
    assert not drawn
    first, second = next(frames), next(frames)
    assert len(drawn) == 2
    assert first is not second
    assert first.dtype == np.uint8


def test_the_same_row_gives_the_same_frame(astronaut, renderer):
    before = renderer.draw(ROWS["speech"])
    renderer.draw(ROWS["turn"])
    assert np.array_equal(renderer.draw(ROWS["speech"]), before)
    assert np.array_equal(MeshRenderer(astronaut).draw(ROWS["speech"]), before)
    before[:] = 0  # a frame belongs to its caller
    assert renderer.draw(ROWS["speech"]).any()
