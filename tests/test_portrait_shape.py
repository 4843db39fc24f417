"""The geometry behind a portrait: pose, neutral mouth, and the mesh from 68 points."""

import sys
import types

import numpy as np
import pytest
import skimage.data
from scipy.spatial.transform import Rotation

from animate import topology
from animate.errors import DependencyError, PortraitError
from animate.portrait import face_alignment_detector, portrait_from_image
from animate.portrait.deform import spread_displacements
from animate.portrait.face_alignment_detector import FaceAlignmentDetector
from animate.portrait.ibug_fit import mesh_from_68_points
from animate.portrait.neutral import neutral_vertices
from animate.portrait.pose import head_pose

UPPER, LOWER = list(topology.LIPS_INNER_UPPER), list(topology.LIPS_INNER_LOWER)


@pytest.fixture(scope="module")
def smile():
    """The astronaut, who shows her teeth."""
    return portrait_from_image(skimage.data.astronaut()).face


def posed(matrix=((1, 0, 0), (0, 1, 0), (0, 0, 1)), scale=20.0):
    return np.vstack([topology.canonical_vertices(), np.zeros((10, 3))]) @ np.asarray(matrix).T * scale + (300, 300, 0)


def towards(x=0.0, y=0.0):
    """The canonical face with its nose pointing towards (x, y) of the picture's plane."""
    return posed(Rotation.align_vectors([[x, y, -1], [1, 0, x]], [[0, 0, -1], [1, 0, 0]])[0].as_matrix())


def test_the_canonical_face_looks_straight_ahead():
    assert np.allclose(list(vars(head_pose(posed())).values()), 0, atol=1e-4)


def test_pose_signs_are_those_of_the_channels():
    """The nose tip goes where the signs say: chin up raises it, positive yaw takes it to the picture's right."""
    assert head_pose(towards(x=0.3)).yaw_deg == pytest.approx(16.7, abs=1)
    assert head_pose(towards(x=-0.3)).yaw_deg == pytest.approx(-16.7, abs=1)
    assert head_pose(towards(y=-0.3)).pitch_deg == pytest.approx(16.7, abs=1)
    c, s = np.cos(0.2), np.sin(0.2)
    clockwise = posed([[c, -s, 0], [s, c, 0], [0, 0, 1]])  # y down: turns x towards y
    assert clockwise[454, 1] > clockwise[234, 1]  # the ear at the picture's right goes down
    assert head_pose(clockwise).roll_deg == pytest.approx(np.degrees(0.2), abs=0.1)


def test_pose_angles_compose_as_roll_of_yaw_of_pitch():
    pitch, yaw, roll = 12.0, -25.0, 8.0
    matrix = Rotation.from_euler("ZYX", [roll, -yaw, -pitch], degrees=True).as_matrix()  # about y down and x right
    assert np.allclose(list(vars(head_pose(posed(matrix))).values()), (pitch, yaw, roll), atol=0.01)


def test_neutral_brings_the_lips_together(smile):
    assert np.linalg.norm(smile.vertices[UPPER] - smile.vertices[LOWER], axis=1).max() > 0.1 * smile.eye_distance
    assert np.abs(smile.neutral[UPPER] - smile.neutral[LOWER]).max() < 1e-3


def test_neutral_moves_the_jaw_more_than_the_upper_lip_and_leaves_the_rest(smile):
    moved = np.linalg.norm(smile.neutral - smile.vertices, axis=1) / smile.eye_distance
    assert moved[14] > moved[13] > 0 and 0 < moved[topology.CHIN] < moved[14]
    still = [*topology.EYE_LEFT_UPPER, *topology.EYE_RIGHT_LOWER, *topology.BROW_LEFT, *topology.NOSE_RIDGE, 10, 234]
    assert moved[still].max() < 1e-6 and moved[468:].max() == 0


def test_neutral_folds_nothing_but_slivers_at_the_corners_of_the_mouth(smile):
    def areas(mesh):
        a, b, c = mesh[topology.triangles()].transpose(1, 0, 2)[..., :2]
        return np.cross(b - a, c - a) / 2 / smile.eye_distance**2

    folded = (areas(smile.neutral) > 0) & (areas(smile.vertices) < 0)
    assert areas(smile.neutral)[folded].sum() < 0.002
    corners = smile.vertices[[61, 291], :2]
    where = smile.vertices[topology.triangles()[folded], :2].mean(axis=1)  # [N, 2]
    assert np.linalg.norm(where[:, None] - corners, axis=-1).min(axis=1).max() < 0.25 * smile.eye_distance


def test_neutral_leaves_closed_lips_alone(smile):
    assert np.array_equal(neutral_vertices(smile.neutral), smile.neutral)


def test_closing_draws_the_corners_of_a_mouth_in_but_not_those_of_a_broad_smile(smile):
    def narrower(widened):
        vertices = smile.vertices.copy()
        near = np.exp(-((vertices[:, 1] - vertices[61, 1]) ** 2) / (0.5 * smile.eye_distance) ** 2)
        vertices[:, 0] += (widened - 1) * near * (vertices[:, 0] - vertices[13, 0])
        widths = (np.linalg.norm(v[291] - v[61]) for v in (vertices, neutral_vertices(vertices)))
        return -np.subtract(*reversed(list(widths))) / smile.eye_distance

    assert narrower(1.0) > 0.03
    assert abs(narrower(1.15)) < 0.005


def test_displacements_are_met_and_smooth():
    anchors = np.array([10, 152, 234, 454, 1])
    wanted = np.random.default_rng(0).normal(size=(5, 3))
    field = spread_displacements(anchors, wanted)
    assert np.allclose(field[anchors], wanted)
    a, b, _ = field[topology.triangles()].transpose(1, 0, 2)
    assert np.linalg.norm(a - b, axis=1).max() < 0.4 * np.ptp(wanted, axis=0).max()


def test_68_points_give_back_the_mesh_they_were_taken_from(smile):
    mesh = mesh_from_68_points(smile.vertices[list(topology.IBUG68), :2])
    apart = np.linalg.norm((mesh - smile.vertices)[:, :2], axis=1) / smile.eye_distance
    assert np.allclose(mesh[list(topology.IBUG68), :2], smile.vertices[list(topology.IBUG68), :2], atol=1e-3)
    assert apart[:468].mean() < 0.03 and apart[468:].mean() < 0.06
    pose = head_pose(mesh)
    assert abs(pose.yaw_deg - smile.pose.yaw_deg) < 4 and abs(pose.roll_deg - smile.pose.roll_deg) < 2


def test_68_points_of_a_turned_face_give_its_pose():
    matrix = Rotation.from_euler("ZYX", [8, 25, 12], degrees=True).as_matrix()
    turned = posed(matrix)
    mesh = mesh_from_68_points(turned[list(topology.IBUG68), :2])
    assert np.abs(mesh[:468] - turned[:468]).max() < 0.01 * 20 * 9  # pixels; the depth is up to a constant


def test_mirrored_points_give_the_mirrored_mesh(smile):
    mirrored = smile.vertices[topology.MIRROR][:, :2] * (-1, 1) + (512, 0)
    mesh = mesh_from_68_points(smile.vertices[list(topology.IBUG68), :2])
    flipped = mesh_from_68_points(mirrored[list(topology.IBUG68)])[topology.MIRROR] * (-1, 1, 1) + (512, 0, 0)
    assert np.abs(flipped - mesh).max() < 0.01


@pytest.mark.parametrize("points", [np.zeros((67, 2)), np.full((68, 2), np.nan), np.zeros((68, 2))])
def test_points_that_make_no_face_are_refused(points):
    with pytest.raises(PortraitError, match="make no face"):
        mesh_from_68_points(points)


class Network:
    """Stands in for `face_alignment.FaceAlignment`, whose weights cannot be had offline."""

    def __init__(self, faces):
        self.faces = faces

    def get_landmarks_from_image(self, image, return_bboxes, return_landmark_score):
        return (self.faces, None, None) if self.faces is None else (self.faces, [np.ones(68)], [np.zeros(5)])


def test_the_face_alignment_backend_makes_a_portrait(smile):
    network = Network([smile.vertices[list(topology.IBUG68), :2]])
    portrait = portrait_from_image(skimage.data.astronaut(), detector=FaceAlignmentDetector(network))
    assert np.linalg.norm((portrait.face.vertices - smile.vertices)[:, :2], axis=1).mean() < 0.03 * smile.eye_distance


def test_the_face_alignment_backend_finds_nothing_where_its_network_does():
    with pytest.raises(PortraitError, match="No face found"):
        portrait_from_image(skimage.data.astronaut(), detector=FaceAlignmentDetector(Network(None)))


def test_the_face_alignment_backend_refuses_a_cat(smile):
    points = smile.vertices[list(topology.IBUG68), :2] - (40, -20)
    with pytest.raises(PortraitError, match="not clearly a person's"):
        portrait_from_image(skimage.data.chelsea(), detector=FaceAlignmentDetector(Network([points])))


def fake_face_alignment(monkeypatch, tmp_path, error):
    def fail(*arguments, **options):
        raise error

    package = types.SimpleNamespace(FaceAlignment=fail, LandmarksType=types.SimpleNamespace(TWO_HALF_D=2))
    torch = types.SimpleNamespace(hub=types.SimpleNamespace(get_dir=lambda: str(tmp_path)))
    monkeypatch.setitem(sys.modules, "face_alignment", package)
    monkeypatch.setitem(sys.modules, "torch", torch)


def test_missing_weights_say_which_files_where_and_how_to_get_them(monkeypatch, tmp_path):
    fake_face_alignment(monkeypatch, tmp_path, OSError("Name or service not known"))
    (tmp_path / "checkpoints").mkdir()
    (tmp_path / "checkpoints" / "s3fd-619a316812.pth").write_bytes(b"present")
    with pytest.raises(DependencyError, match=r"missing.*Looked for 3DFAN4-7835d9f11d.pth.tar in .*Download") as caught:
        FaceAlignmentDetector()
    assert str(tmp_path) in str(caught.value) and "s3fd" not in str(caught.value)


def test_damaged_weights_say_what_to_delete(monkeypatch, tmp_path):
    fake_face_alignment(monkeypatch, tmp_path, RuntimeError("not a zip archive"))
    with pytest.raises(DependencyError, match="damaged.*Delete s3fd-619a316812.pth"):
        FaceAlignmentDetector()


def test_a_missing_package_names_its_install_command(monkeypatch):
    monkeypatch.setitem(sys.modules, "face_alignment", None)
    with pytest.raises(DependencyError, match="pip install face-alignment"):
        FaceAlignmentDetector()


def test_the_weights_are_those_that_the_package_loads():
    """If a release of face-alignment renames them, the message must change too."""
    api = pytest.importorskip("face_alignment.api")
    from face_alignment.detection.sfd import sfd_detector

    urls = (sfd_detector.models_urls["s3fd"], api.models_urls["3DFAN-4"])
    assert tuple(url.rsplit("/", 1)[1] for url in urls) == face_alignment_detector.WEIGHTS
    assert all(url.startswith(face_alignment_detector._SOURCE) for url in urls)
