"""A picture becomes a portrait, or is refused with its reason."""

import cv2
import numpy as np
import pytest
import skimage.data
from conftest import SHARED
from PIL import Image

from animate import topology
from animate.errors import ConfigError, PortraitError
from animate.portrait import FaceCandidate, portrait_from_image, read_portrait
from animate.portrait.checks import choose_face
from animate.portrait.landmarks import load_detector

PORTRAITS = SHARED / "portraits"
HUMANS = sorted(path.name for path in PORTRAITS.glob("*") if not path.name.startswith("not_a_person"))
with_shared = pytest.mark.skipif(not HUMANS, reason="needs the pictures of ../shared/portraits")


@pytest.fixture(scope="module")
def picture():
    return skimage.data.astronaut()


@pytest.fixture(scope="module")
def astronaut(picture):
    return portrait_from_image(picture, name="astronaut")


def stray(mesh, other, eye_distance):
    """Mean distance between two meshes in the picture, as a share of the eye distance."""
    return np.linalg.norm((mesh - other)[:, :2], axis=1).mean() / eye_distance


def test_the_mesh_lies_on_the_face(astronaut):
    """The astronaut's eyes, nose tip and chin, read off the picture by eye."""
    by_eye = {468: (203, 101), 473: (247, 104), topology.NOSE_TIP: (222, 128), topology.CHIN: (221, 178)}
    for vertex, where in by_eye.items():
        assert np.hypot(*(astronaut.face.vertices[vertex, :2] - where)) < 4
    assert astronaut.face.vertices.dtype == np.float32 and astronaut.face.triangles.shape == (852, 3)


def test_the_same_picture_gives_the_same_portrait(astronaut, picture):
    again = portrait_from_image(picture, name="astronaut")
    assert np.array_equal(again.face.vertices, astronaut.face.vertices)
    assert np.array_equal(again.matte, astronaut.matte)


def test_a_mirrored_picture_gives_the_mirrored_portrait(astronaut, picture):
    mirrored = portrait_from_image(np.ascontiguousarray(picture[:, ::-1]))
    mesh = mirrored.face.vertices[topology.MIRROR] * (-1, 1, 1) + (picture.shape[1], 0, 0)
    assert stray(mesh, astronaut.face.vertices, astronaut.face.eye_distance) < 0.004
    assert abs(mirrored.face.pose.yaw_deg + astronaut.face.pose.yaw_deg) < 1
    assert abs(mirrored.face.pose.roll_deg + astronaut.face.pose.roll_deg) < 1
    assert np.abs(mirrored.matte[:, ::-1] - astronaut.matte).mean() < 0.01


def test_precision_does_not_depend_on_the_share_of_the_picture(astronaut, picture):
    scene = np.full((2000, 2600, 3), 128, np.uint8)
    scene[1300:1812, 700:1212] = picture
    small = portrait_from_image(scene).face.vertices - (700, 1300, 0)
    assert stray(small, astronaut.face.vertices, astronaut.face.eye_distance) < 0.01


def test_exif_orientation_gives_the_same_face_as_upright(tmp_path, astronaut, picture):
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(picture).transpose(Image.Transpose.ROTATE_90).save(tmp_path / "phone.png", exif=exif)
    portrait = read_portrait(tmp_path / "phone.png")
    assert np.array_equal(portrait.face.vertices, astronaut.face.vertices)
    assert portrait.name == "phone.png" and len(portrait.sha256) == 64


@pytest.mark.parametrize("turn_deg", [-20, 20])
def test_roll_is_positive_clockwise(astronaut, picture, turn_deg):
    matrix = cv2.getRotationMatrix2D((256, 256), -turn_deg, 1)  # OpenCV turns counter-clockwise
    turned = cv2.warpAffine(picture, matrix, (512, 512), borderMode=cv2.BORDER_REPLICATE)
    roll_deg = portrait_from_image(turned).face.pose.roll_deg
    assert roll_deg == pytest.approx(astronaut.face.pose.roll_deg + turn_deg, abs=2)


def test_the_matte_holds_the_person_and_leaves_the_background(astronaut):
    matte = astronaut.matte
    assert matte.shape == (512, 512) and matte.dtype == np.float32 and 0 <= matte.min() and matte.max() <= 1
    face = astronaut.face.vertices[: topology.NUM_SKIN, :2].astype(int)
    assert matte[face[:, 1], face[:, 0]].min() > 0.5 and matte[face[:, 1], face[:, 0]].mean() > 0.98
    assert matte[30, 225] > 0.9 and matte[300, 150] > 0.9  # hair, suit
    assert matte[10:200, 10:100].max() < 0.1 and matte[20:150, 340:420].max() < 0.1  # flag, shuttle


@pytest.mark.parametrize("grey", [0, 128])
def test_a_picture_without_a_face_is_refused(grey):
    with pytest.raises(PortraitError, match=r"No face found in blank.png \(640x480\).*at least 96 px wide"):
        portrait_from_image(np.full((480, 640, 3), grey, np.uint8), name="blank.png")


def test_a_cup_of_coffee_is_refused():
    with pytest.raises(PortraitError, match="No face found"):
        portrait_from_image(skimage.data.coffee())


@pytest.mark.parametrize("scale", [0.8, 1.0, 2.0])
def test_a_cat_is_refused(scale):
    cat = cv2.resize(skimage.data.chelsea(), None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    with pytest.raises(PortraitError, match="No face found|not clearly a person's"):
        portrait_from_image(cat, name="chelsea")


def test_a_tiny_face_is_refused(picture):
    with pytest.raises(PortraitError, match=r"too small: 3\d px wide, and 60 px is the least.*96 px"):
        portrait_from_image(cv2.resize(picture, (205, 205), interpolation=cv2.INTER_AREA))


def test_a_picture_smaller_than_any_face_is_refused():
    with pytest.raises(PortraitError, match=r"too small \(1x1\)"):
        portrait_from_image(np.zeros((1, 1, 3), np.uint8))


def test_a_profile_is_refused():
    photographer = cv2.resize(np.dstack([skimage.data.camera()] * 3), (1024, 1024), interpolation=cv2.INTER_CUBIC)
    with pytest.raises(PortraitError, match=r"turned 5\d degrees.*both eyes"):
        portrait_from_image(photographer)


def test_a_face_cut_by_the_edge_is_refused(picture):
    with pytest.raises(PortraitError, match="cut off by the picture's edge"):
        portrait_from_image(picture[:, 205:])


def test_a_picture_on_its_side_is_refused_with_the_way_to_turn_it(picture):
    with pytest.raises(PortraitError, match="lies on its side.*left by a quarter"):
        portrait_from_image(np.rot90(picture, -1))


def test_hidden_eyes_are_refused(picture):
    hidden = picture.copy()
    hidden[90:112, 185:265] = 20
    with pytest.raises(PortraitError, match="right eye and left eye cannot be seen"):
        portrait_from_image(hidden)


def covered(picture, landmarks, grow, colour):
    """The picture with a patch of grained colour over some landmarks of its face."""
    mesh = portrait_from_image(picture).face.vertices
    points = mesh[list(landmarks), :2]
    hull = cv2.convexHull(np.round(points.mean(axis=0) + grow * (points - points.mean(axis=0))).astype(np.int32))
    patch = np.zeros(picture.shape[:2], np.float32)
    cv2.fillConvexPoly(patch, hull, 1)
    patch = cv2.GaussianBlur(patch, (0, 0), 2)[..., None]
    grain = np.random.default_rng(0).normal(0, 3, picture.shape)
    return np.clip(picture * (1 - patch) + (np.array(colour) + grain) * patch, 0, 255).astype(np.uint8)


EYES = topology.EYE_RIGHT_UPPER + topology.EYE_RIGHT_LOWER + topology.EYE_LEFT_UPPER + topology.EYE_LEFT_LOWER
LIPS = topology.LIPS_OUTER_UPPER + topology.LIPS_OUTER_LOWER
SKIN, BLUE, BLACK = (200, 150, 130), (120, 160, 190), (25, 25, 28)


@pytest.mark.parametrize(
    "landmarks, grow, colour, part",
    [
        (LIPS, 2.0, SKIN, "mouth"),
        ((1, 205, 425, 152, 172, 397, 132, 361), 1.05, BLUE, "mouth"),
        ((*EYES, 70, 300, 117, 346), 1.05, BLACK, "right eye and left eye"),
    ],
    ids=["hand", "mask", "dark glasses"],
)
def test_what_hides_a_face_is_refused_by_name(picture, landmarks, grow, colour, part):
    with pytest.raises(PortraitError, match=f"partly hidden: its {part} cannot be seen.*no hand, hair, mask"):
        portrait_from_image(covered(picture, landmarks, grow, colour))


@pytest.mark.parametrize("change", ["shut eyes", "grey", "dark", "patch on the forehead"])
def test_what_hides_nothing_is_not_refused(picture, astronaut, change):
    if change == "shut eyes":
        from animate.evaluate.rows import row
        from animate.renderer import MeshRenderer

        changed = MeshRenderer(astronaut).draw(row(eyeBlink=1.0))
    elif change == "grey":
        changed = np.repeat(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)[..., None], 3, axis=2)
    elif change == "dark":
        changed = (0.35 * picture).astype(np.uint8)
    else:
        changed = covered(picture, (10, 67, 297, 151), 1.0, SKIN)
    portrait_from_image(changed)


def test_several_reasons_are_all_given(picture):
    small = cv2.resize(picture, (215, 215), interpolation=cv2.INTER_AREA)
    with pytest.raises(PortraitError, match="is too small.*, and lies on its side.*larger scan.*by a quarter"):
        portrait_from_image(np.rot90(small, -1))


@with_shared
def test_a_painted_hand_over_the_mouth_is_refused(picture, astronaut):
    mona = np.asarray(Image.open(PORTRAITS / "painting_mona_lisa.jpg").convert("RGB"))
    width = round(1.1 * np.ptp(astronaut.face.vertices[:468, 0]))
    hand = cv2.resize(mona[960:1160, 230:560], (width, round(0.6 * width)), interpolation=cv2.INTER_AREA)
    x, y = (astronaut.face.vertices[list(LIPS), :2].mean(axis=0) - np.array(hand.shape[1::-1]) / 2).astype(int)
    hidden = picture.copy()
    hidden[y : y + hand.shape[0], x : x + hand.shape[1]] = hand
    with pytest.raises(PortraitError, match="its mouth cannot be seen"):
        portrait_from_image(hidden)


def test_an_array_of_another_kind_is_refused(picture):
    with pytest.raises(PortraitError, match=r"float64 \[512, 512, 3\]"):
        portrait_from_image(picture / 255)


def test_an_unknown_detector_is_refused(picture):
    with pytest.raises(ConfigError, match="'dlib'.*mediapipe"):
        portrait_from_image(picture, detector="dlib")


def face_at(centre, width, confidence=0.9):
    canonical = topology.canonical_vertices()[:, :2]
    vertices = np.zeros((478, 3), np.float32)
    vertices[:, :2] = centre
    vertices[:468, :2] += canonical * width / np.ptp(canonical[:, 0])
    return FaceCandidate(vertices, confidence)


def test_the_largest_person_is_chosen_and_of_equals_the_most_central():
    left, middle, large = face_at((100, 200), 100), face_at((300, 200), 98), face_at((500, 200), 150)
    animal = face_at((300, 200), 300, confidence=0.1)
    assert choose_face([left, middle], (600, 400)) is middle
    assert choose_face([left, middle, large, animal], (600, 400)) is large
    assert choose_face([animal], (600, 400)) is animal  # to be refused with its reason
    assert choose_face([], (600, 400)) is None


@with_shared
@pytest.mark.parametrize("name", HUMANS)
def test_every_human_picture_is_accepted(name):
    portrait = read_portrait(PORTRAITS / name)
    mesh, size = portrait.face.vertices, portrait.size
    assert (mesh[:468, :2] > 0).all() and (mesh[:468, :2] < size).all()
    expected_yaw = {"art_glasses_threequarter.png": -26, "painting_pearl_earring_side.jpg": -34}.get(name)
    if expected_yaw:  # both look towards the left of the picture
        assert portrait.face.pose.yaw_deg == pytest.approx(expected_yaw, abs=6)
    upper, lower = (portrait.face.neutral[list(c)] for c in (topology.LIPS_INNER_UPPER, topology.LIPS_INNER_LOWER))
    gap = np.linalg.norm(upper - lower, axis=1)
    assert gap.max() < 0.02 * portrait.face.eye_distance


def test_the_crop_that_shows_a_face_best_tells_whether_it_is_a_persons(monkeypatch):
    detector, face = load_detector("mediapipe"), face_at((200, 200), 100)
    sizes = []
    monkeypatch.setattr(detector, "_score_in", lambda image, view: sizes.append(view.side_px) or 0.7 * (len(sizes) > 2))
    assert detector.human_score(np.zeros((400, 400, 3), np.uint8), face.vertices) == pytest.approx(0.7)
    assert len(set(sizes)) == 2


@with_shared
@pytest.mark.parametrize("name", ["not_a_person_cat.jpg", "not_a_person_llama.jpg"])
def test_animals_are_refused(name):
    with pytest.raises(PortraitError, match=name):
        read_portrait(PORTRAITS / name)
    image = np.asarray(Image.open(PORTRAITS / name).convert("RGB"))
    assert all(face.confidence < 0.3 for face in load_detector("mediapipe").detect(image))


@with_shared
@pytest.mark.parametrize("name", ["painting_small_face_in_scene.jpg", "photo_small_smile_teeth.png"])
def test_mirroring_holds_for_the_small_faces(name):
    image = np.asarray(Image.open(PORTRAITS / name).convert("RGB"))
    portrait, mirrored = portrait_from_image(image), portrait_from_image(np.ascontiguousarray(image[:, ::-1]))
    mesh = mirrored.face.vertices[topology.MIRROR] * (-1, 1, 1) + (image.shape[1], 0, 0)
    assert stray(mesh, portrait.face.vertices, portrait.face.eye_distance) < 0.01
