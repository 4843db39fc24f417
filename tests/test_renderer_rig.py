"""The parts of the renderer: the rig, the inverse map, the still background."""

from types import SimpleNamespace

import cv2
import numpy as np
import pytest

from animate.channels import BLENDSHAPES, CHANNELS, INDEX
from animate.renderer.backdrop import fill_behind, person_alpha
from animate.renderer.controls import COLUMN, controls_from_row
from animate.renderer.far_side import find_far_side
from animate.renderer.head import fit_head_frame, head_motion
from animate.renderer.mesh import PIVOT, build_mesh
from animate.renderer.opening import find_opening
from animate.renderer.raster import SUBPIXEL, rasterise
from animate.renderer.rig import build_rig
from animate.renderer.sampling import double
from animate.renderer.unfold import plausible_trials, unfold


def row(**channels: float) -> np.ndarray:
    values = np.zeros(len(CHANNELS), np.float32)
    for name, value in channels.items():
        values[INDEX[name]] = value
    return values


@pytest.fixture(scope="module")
def built(astronaut):
    frame = fit_head_frame(astronaut.face)
    mesh = build_mesh(astronaut, frame)
    return frame, mesh, build_rig(mesh, frame)


def gap(built, opening: str, **channels: float) -> np.ndarray:
    """Return how far the edges of an opening are apart, downwards along the face, in eye distances."""
    frame, mesh, rig = built
    upper, lower = mesh.openings[opening]
    shape = rig.shape(controls_from_row(row(**channels))).astype(float)
    return (shape[lower] - shape[upper]) @ frame.axes[1] / frame.unit


def test_the_head_frame_lies_between_the_eyes_and_has_their_distance(astronaut, built):
    frame = built[0]
    eyes = [astronaut.face.vertices[[a, b], :2].mean(axis=0) for a, b in ((33, 133), (362, 263))]
    assert frame.origin[:2] == pytest.approx(np.mean(eyes, axis=0), abs=0.1 * frame.unit)
    assert frame.unit == pytest.approx(astronaut.face.eye_distance, rel=0.08)
    assert frame.axes @ frame.axes.T == pytest.approx(np.eye(3), abs=1e-9)
    points = np.array([[0.3, 1.0, -0.2], [0.0, 0.0, 0.0]])
    assert frame.to_head(frame.to_picture(points)) == pytest.approx(points)


@pytest.mark.parametrize(
    ("channels", "expected"),
    [
        ({"headYaw": 10}, (1, 0)),  # the nose, which stands out towards the viewer, moves to the picture's right
        ({"headPitch": 10}, (0, -1)),
        ({"headRoll": 10}, (1, 0)),  # for the forehead, above the pivot
        ({"headX": 0.2}, (1, 0)),
        ({"headY": 0.2}, (0, 1)),
    ],
)
def test_head_channels_have_the_documented_signs(astronaut, built, channels, expected):
    frame = built[0]
    nose = frame.to_picture(np.array([[0.0, 0.6, -0.6] if "headRoll" not in channels else [0.0, -1.0, 0.0]]))[0]
    pivot = frame.to_picture(np.array([[0.0, 1.0, 1.3]]))[0]
    moved = (head_motion(row(**channels), frame, pivot).placed(nose[None])[0] - nose[:2]) / frame.unit
    assert np.dot(moved, expected) > 0.05
    assert np.abs(moved[[expected[0] == 1, expected[1] == 1].index(False)]) < 0.5 * np.dot(moved, expected)


def test_what_turns_towards_the_viewer_grows_and_what_turns_away_shrinks(built):
    frame = built[0]
    motion = head_motion(row(headYaw=20), frame, frame.to_picture(np.array([[0.0, 1.05, 1.35]]))[0])

    def height(side):
        top, bottom = motion.placed(frame.to_picture(np.array([[side, -0.5, 0.5], [side, 0.5, 0.5]])))
        return np.linalg.norm(bottom - top) / frame.unit

    assert height(-1.0) > 1.02 > 0.98 > height(1.0)


def test_what_is_near_a_point_moves_as_the_point_does(built):
    frame = built[0]
    nose = frame.to_picture(np.array([[0.0, 0.6, -0.6]]))[0]
    motion = head_motion(row(headYaw=15, headPitch=-10, headZ=0.5), frame, frame.origin + (0, 1, 1.3))
    matrix, offset = motion.near(nose)
    assert matrix @ nose + offset == pytest.approx(motion.placed(nose[None])[0], abs=1e-3)
    beside = nose + (1.0, -1.0, 1.0)
    assert matrix @ beside + offset == pytest.approx(motion.placed(beside[None])[0], abs=0.02)


def test_neutral_lips_meet_and_the_jaw_parts_them(built):
    assert np.abs(gap(built, "mouth")).max() < 1e-3
    assert gap(built, "mouth", jawOpen=0.3).max() == pytest.approx(0.21, abs=0.05)
    assert gap(built, "mouth", jawOpen=1.0).max() == pytest.approx(0.7, abs=0.12)
    assert gap(built, "mouth", mouthLowerDownLeft=1, mouthLowerDownRight=1).max() > 0.1
    assert gap(built, "mouth", mouthUpperUpLeft=1, mouthUpperUpRight=1).max() > 0.1


@pytest.mark.parametrize("jaw", [0.1, 0.4, 1.0])
def test_mouth_close_equal_to_jaw_open_seals_the_lips_exactly(built, jaw):
    assert np.abs(gap(built, "mouth", jawOpen=jaw, mouthClose=jaw)).max() < 1e-3
    assert np.abs(gap(built, "mouth", jawOpen=jaw, mouthClose=1.0)).max() < 1e-3  # and more cannot cross them


def test_lids_meet_in_a_blink_whatever_else_they_do(built):
    for side in ("Right", "Left"):
        opened = gap(built, "eye" + side).max()
        for other in ({}, {"eyeSquint": 1.0}, {"eyeWide": 1.0}, {"eyeLookDown": 1.0}, {"eyeLookUp": 1.0}):
            channels = {name + side: value for name, value in other.items()}
            closed = gap(built, "eye" + side, **{"eyeBlink" + side: 1.0}, **channels)
            assert closed.max() < 0.02 * opened
            assert closed.min() > -0.06  # the upper lid laps over the lower one a little
        assert gap(built, "eye" + side, **{"eyeBlink" + side: 0.5}).max() == pytest.approx(0.5 * opened, rel=0.25)
        assert gap(built, "eye" + side, **{"eyeWide" + side: 1.0}).max() > 1.15 * opened
        assert gap(built, "eye" + side, **{"eyeLookDown" + side: 1.0}).max() < 0.9 * opened


def test_controls_stay_within_their_limits():
    controls = controls_from_row(row(jawOpen=3.0, mouthClose=0.5, browInnerUp=-1.0))
    assert controls[COLUMN["jawOpen"]] == 1
    assert controls[COLUMN["browInnerUp"]] == 0
    assert controls_from_row(row(jawOpen=0.2, mouthClose=0.9))[COLUMN["mouthClose"]] == pytest.approx(0.2)


def test_blendshapes_add_up(built):
    rig = built[2]
    both = rig.shape(controls_from_row(row(mouthPucker=0.4, browInnerUp=0.7))) - rig.neutral
    one, other = (
        rig.shape(controls_from_row(row(**c))) - rig.neutral for c in ({"mouthPucker": 0.4}, {"browInnerUp": 0.7})
    )
    assert both == pytest.approx(one + other, abs=1e-3)


def test_expression_does_not_reach_the_edge_of_what_moves(built):
    _, mesh, rig = built
    left, top, right, bottom = mesh.region
    x, y = mesh.rest[:, 0], mesh.rest[:, 1]
    on_edge = (x <= left) | (y <= top) | (x >= right - 1) | (y >= bottom - 1)
    assert on_edge.sum() > 20
    assert mesh.head_weight[on_edge].max() == 0
    assert np.abs(rig.basis.reshape(len(mesh.rest), 3, -1)[on_edge]).max() == 0


def test_plausible_motion_folds_next_to_no_triangle(built):
    frame, mesh, rig = built
    corners = mesh.rest[mesh.triangles, :2]
    size = -np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]) / frame.unit**2
    lids = np.concatenate([np.concatenate(mesh.openings[eye]) for eye in ("eyeRight", "eyeLeft")])
    visible = (size > 2e-4) & ~np.isin(mesh.triangles, lids).any(axis=1)
    rng = np.random.default_rng(0)
    folded = []
    for _ in range(30):
        values = np.zeros(len(CHANNELS), np.float32)
        some = rng.random(len(BLENDSHAPES)) < 0.3
        values[: len(BLENDSHAPES)] = some * rng.beta(0.5, 2, len(BLENDSHAPES)) * 0.7
        values[INDEX["jawOpen"]] = rng.uniform(0, 0.5)
        values[INDEX["mouthClose"]] = rng.uniform(0, values[INDEX["jawOpen"]])
        moved = rig.shape(controls_from_row(values))[mesh.triangles, :2]
        area = -np.cross(moved[:, 1] - moved[:, 0], moved[:, 2] - moved[:, 0]) / frame.unit**2
        folded.append(float((area[visible] < -1e-5).mean()))
    assert np.mean(folded) < 0.0006
    assert max(folded) < 0.006


def test_rasterise_inverts_an_affine_map_and_leaves_the_rest():
    source = np.array([[10, 10], [10, 50], [50, 50], [50, 10]], np.float32)
    target = source * 0.5 + 12
    triangles = np.array([[0, 1, 2], [0, 2, 3]], np.int32)
    whole, fraction = np.full((64, 64), -1, np.int32), np.zeros((64, 64), np.uint16)
    rasterise(triangles, target, source, whole, fraction)
    parts = whole.view(np.int16).reshape(64, 64, 2)
    assert parts[20, 25, 0] + (fraction[20, 25] % SUBPIXEL) / SUBPIXEL == pytest.approx((25 - 12) * 2, abs=0.05)
    assert parts[20, 25, 1] + (fraction[20, 25] // SUBPIXEL) / SUBPIXEL == pytest.approx((20 - 12) * 2, abs=0.05)
    assert (whole[17:38, 17:38] != -1).all(), "a square drawn as two triangles has no seam"
    assert (whole[:16] == -1).all()
    untouched = whole.copy()
    rasterise(triangles[:, ::-1].copy(), target, source + 5, whole, fraction)  # turned away from the viewer
    assert np.array_equal(whole, untouched)


def test_double_keeps_the_pixels_and_interpolates_between():
    image = np.random.default_rng(0).integers(0, 256, (20, 30, 4), np.uint8)
    assert np.array_equal(double(image)[::2, ::2], image)
    ramp = np.tile(np.arange(0, 240, 8, dtype=np.uint8)[None, :, None], (10, 1, 3))
    between = double(ramp)[4, 5:-5, 0].astype(int)
    assert np.array_equal(np.diff(between), np.full(len(between) - 1, 4))


def test_the_background_behind_the_person_is_filled_from_around_it():
    y, x = np.mgrid[:120, :160]
    image = np.stack([x, 255 - x, y], axis=2).astype(np.uint8)
    image[40:100, 60:100] = (255, 0, 255)  # the person
    alpha = np.zeros((120, 160), np.uint8)
    alpha[38:102, 58:102] = 255
    filled = fill_behind(image, alpha, eye_distance=20)
    assert np.array_equal(filled[alpha < 255], image[alpha < 255])
    assert np.abs(filled[45:95, 62:98].astype(int) - (255, 0, 255)).sum(axis=2).min() > 60
    assert np.abs(np.diff(filled.astype(int), axis=1)).max() < 40


def test_another_person_in_the_matte_stays_in_the_background():
    matte = np.zeros((100, 200), np.float32)
    cv2.circle(matte, (50, 50), 30, 1, -1)
    cv2.circle(matte, (150, 50), 30, 1, -1)
    face = np.array([[40, 40], [60, 40], [60, 60], [40, 60]], float)
    image = np.full((100, 200, 3), 90, np.uint8)
    alpha = person_alpha(image, matte, face, eye_distance=15)
    assert alpha[50, 50] == alpha[50, 75] == 255
    assert alpha[50, 150] == 0


def test_what_stands_out_of_the_matte_moves_with_the_person():
    matte = np.zeros((100, 200), np.float32)
    cv2.circle(matte, (60, 50), 30, 1, -1)
    face = np.array([[50, 40], [70, 40], [70, 60], [50, 60]], float)
    image = np.full((100, 200, 3), 200, np.uint8)
    cv2.rectangle(image, (85, 48), (97, 51), (20, 20, 20), -1)  # the arm of a pair of spectacles
    plain = person_alpha(np.full_like(image, 200), matte, face, eye_distance=20)
    assert plain[50, 96] < 255
    assert person_alpha(image, matte, face, eye_distance=20)[50, 96] == 255


def test_a_closed_opening_is_none_and_an_open_one_is_covered_inside_only():
    x = np.linspace(10, 50, 9)
    upper = np.column_stack([x, 30 - 8 * (1 - ((x - 30) / 20) ** 2)])
    lower = np.column_stack([x, 30 + 8 * (1 - ((x - 30) / 20) ** 2)])
    assert find_opening(upper, upper, (64, 64), 0.0, 1.0) is None
    opening = find_opening(upper, lower, (64, 64), 0.0, 1.0)
    assert opening.coverage[30 - opening.top, 30 - opening.left] == 1
    assert opening.coverage[24 - opening.top, 12 - opening.left] == 0
    assert ((opening.coverage > 0) & (opening.coverage < 1)).any(), "the edge is soft"


def test_no_lip_or_cheek_folds_in_what_a_face_can_do(built):
    frame, mesh, rig = built
    seams = np.concatenate(
        [mesh.between_lips, *(chain for eye in ("Right", "Left") for chain in mesh.openings["eye" + eye])]
    )
    triangles = mesh.triangles[~np.isin(mesh.triangles, seams).any(axis=1)]

    def areas(shape: np.ndarray) -> np.ndarray:
        a, b, c = shape[triangles].transpose(1, 0, 2)[..., :2]
        return np.cross(c - a, b - a) / 2 / frame.unit**2

    visible = areas(mesh.rest) > 2e-4
    assert visible.sum() > 3000
    for controls in plausible_trials():
        assert (areas(rig.shape(controls))[visible] > 0).all()
    crossed = np.zeros_like(controls)
    crossed[COLUMN["mouthClose"]] = 1  # without the jaw, which no row can ask for
    assert (areas(rig.shape(crossed))[visible] < 0).any()


def test_what_squeezes_skin_that_nothing_moves_makes_it_give_way_and_nothing_else_does():
    corner = np.array([[0, 0, 0], [0, 10, 0], [10, 0, 0]], float)
    none = np.zeros(0, int)
    openings = dict.fromkeys(("mouth", "eyeRight", "eyeLeft"), (none, none))
    mesh = SimpleNamespace(
        rest=np.concatenate([corner, corner + 50]), triangles=np.arange(6).reshape(2, 3), openings=openings,
        between_lips=none,
    )  # fmt: skip
    fields = np.zeros((2, 6, 3))
    fields[0, 0, :2], fields[1, 3, :2] = 6, 1  # the first turns its triangle over, the second does not
    unfold(fields, mesh.rest, np.ones((1, 2)), mesh, unit=20.0)
    a, b, c = (mesh.rest + fields[0])[:3, :2]
    assert -np.cross(b - a, c - a) > 10
    assert np.abs(fields[0, 1:3]).max() > 0.1
    assert np.abs(fields[1, :3]).max() < 1e-3


def test_the_edge_of_an_opening_is_soft_where_it_is_steep():
    upper, lower = (
        np.array([[10.0, 32], [12, 4], [60, 4], [62, 32]]),
        np.array([[10.0, 32], [12, 60], [60, 60], [62, 32]]),
    )
    opening = find_opening(upper, lower, (80, 80), 0.0, 2.0)
    middle = opening.coverage[opening.coverage.shape[0] // 2]
    assert middle.max() == 1
    assert np.abs(np.diff(middle)).max() < 0.7


@pytest.fixture
def three_quarter(shared):
    """Return a portrait that looks to the picture's left, its frame, its mesh and its far side."""
    from animate.portrait import read_portrait

    portrait = read_portrait(shared / "portraits" / "art_glasses_threequarter.png")
    frame = fit_head_frame(portrait.face)
    mesh = build_mesh(portrait, frame)
    return portrait, frame, mesh, find_far_side(portrait, mesh, frame, frame.to_picture(np.array([PIVOT]))[0])


def test_the_far_cheek_bulges_as_a_three_quarter_face_turns_to_the_front(astronaut, three_quarter):
    frame = fit_head_frame(astronaut.face)
    assert find_far_side(astronaut, build_mesh(astronaut, frame), frame, frame.origin) is None
    _, frame, mesh, far = three_quarter
    widest = np.abs(far.bulge[:, 0]).argmax()
    assert mesh.rest[widest, 0] < frame.origin[0]
    assert far.bulge[widest, 0] < -0.03 * frame.unit
    assert np.abs(far.bulge[[1, 13, 14]]).max() < 0.01 * frame.unit  # nose and mouth stay
    assert (
        far.share(row(headYaw=-10)) == far.share(row()) == 0 < far.share(row(headYaw=10)) < far.share(row(headYaw=20))
    )


def test_the_far_cheek_comes_to_where_its_hidden_skin_would_show(three_quarter):
    portrait, frame, mesh, far = three_quarter
    motion = head_motion(row(headYaw=20), frame, frame.to_picture(np.array([PIVOT]))[0])
    whole = cv2.convexHull(motion.placed(portrait.face.vertices[:468]))
    outline = cv2.convexHull(mesh.rest[: mesh.num_face, :2].astype(np.float32), returnPoints=False)[:, 0]

    def lacks(shape: np.ndarray) -> float:
        places = motion.placed(shape[outline].astype(np.float32)).tolist()
        return max(cv2.pointPolygonTest(whole, place, True) for place in places) / frame.unit

    bulged = mesh.rest.copy()
    bulged[:, :2] += far.bulge
    assert lacks(mesh.rest) > 0.25
    assert lacks(bulged) < 0.15


def test_nothing_beyond_the_outline_hangs_on_the_face_behind_it(three_quarter):
    _, frame, mesh, _ = three_quarter
    outline = cv2.convexHull(mesh.rest[: mesh.num_face, :2].astype(np.float32))
    depth = np.array([cv2.pointPolygonTest(outline, place, True) for place in mesh.rest[:, :2].tolist()])
    reach = depth[mesh.triangles] / frame.unit
    assert not ((reach.min(axis=1) < -0.02) & (reach.max(axis=1) > 0.05)).any()
