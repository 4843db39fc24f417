"""The closed loop: what MediaPipe finds in the rendered frames against what the motion asked for.

*Asked* is where the rig puts the face's vertices in the frame (`MeshRenderer.vertices`), and for the head the angles
of the motion itself. *Found* is the mesh that the library's detector finds in the rendered picture. Both are read in
the same way: lip gap between the middles of the inner lips, across the mouth, and lip width between the outer corners,
in eye distances of the portrait; lid opening as the eye aspect ratio, in shares of the portrait's own; brow height
over the line of the eye corners, in shares of what the sweep asks of it; head angles relative to those found at rest.
Where the rig has the portrait's lips closed, gaps count from what the detector finds there: a dark line between closed
lips reads as a gap in every frame, also in the untouched picture.
"""

from dataclasses import dataclass, replace

import numpy as np

from animate.channels import INDEX
from animate.evaluate.figures import Figure
from animate.portrait import landmarks
from animate.portrait.pose import head_pose
from animate.topology import BROW_LEFT, BROW_RIGHT
from animate.types import Portrait

_ANGLES = ("headPitch", "headYaw", "headRoll")
_EYES = {"Right": (33, 133, 159, 145, BROW_RIGHT), "Left": (263, 362, 386, 374, BROW_LEFT)}
_SHUT = 0.08  # eye aspect ratio


@dataclass(frozen=True)
class Reading:
    """What a face does in one frame.

    Attributes
    ----------
    lip_gap, lip_width : float
        Pixels.
    lids, brows : float [2]
        Eye aspect ratio, and height of the brow over the eye in widths of the eye; right, then left.
    """

    lip_gap: float
    lip_width: float
    lids: np.ndarray
    brows: np.ndarray


def read_face(vertices: np.ndarray) -> Reading:
    """Read mouth, lids and brows off a mesh in a picture.

    Parameters
    ----------
    vertices : float [>= 468, 2 or 3]
        Pixels.
    """
    v = vertices[:, :2].astype(float)
    lids, brows = [], []
    for outer, inner, upper, lower, brow in _EYES.values():
        across = v[inner] - v[outer]
        width = np.hypot(*across)
        down = np.array([-across[1], across[0]]) / width * np.sign(across[0])
        lids.append(max(0.0, (v[lower] - v[upper]) @ down / width))  # lids that lap over one another are shut
        brows.append((v[[outer, inner]].mean(axis=0) - v[list(brow)].mean(axis=0)) @ down / width)
    across = v[291] - v[61]
    lip_width = np.hypot(*across)
    # A jaw that slides sideways takes the lower lip along and parts no lips: only the way across the mouth counts.
    lip_gap = abs((v[14] - v[13]) @ np.array([-across[1], across[0]])) / lip_width
    return Reading(lip_gap, lip_width, np.array(lids), np.array(brows))


def track(image: np.ndarray, portrait: Portrait) -> np.ndarray | None:
    """Return the mesh float32 [478, 3] found in a frame at the portrait's face, or None."""
    found = landmarks.load_detector("mediapipe").detect(image)
    centre = portrait.face.vertices[:, :2].mean(axis=0)
    near = [np.hypot(*(face.vertices[:, :2].mean(axis=0) - centre)) for face in found]
    if not near or min(near) > 1.5 * portrait.face.eye_distance:
        return None
    return found[int(np.argmin(near))].vertices


def closed_loop(portrait: Portrait, renderer, rows: dict[str, np.ndarray], progress=iter) -> list[Figure]:
    """Render rows, find the face again, and compare.

    Parameters
    ----------
    portrait : Portrait
    renderer : MeshRenderer
    rows : dict of str to float32 [58]
        By name; the first is the rest row.
    progress : callable
        Wraps the iterable of names, as tqdm does.

    Returns
    -------
    list of Figure
        Mean absolute errors, with the row where the error is largest.
    """
    asked, found, poses, names = [], [], [], []
    for name in progress(list(rows)):
        mesh = track(renderer.draw(rows[name]), portrait)
        if mesh is not None:
            names.append(name)
            asked.append(read_face(renderer.vertices(rows[name])))
            found.append(read_face(mesh))
            poses.append(head_pose(mesh))
    lost = len(rows) - len(names)
    figures = [Figure("face lost", lost, "frames", 0)]
    if not names:
        return figures
    turns = np.array([[pose.pitch_deg, pose.yaw_deg, pose.roll_deg] for pose in poses])
    turns -= turns[0]
    wanted = np.array([[rows[name][INDEX[angle]] for angle in _ANGLES] for name in names])
    pictured = read_face(portrait.face.vertices)
    dark_line = pictured.lip_gap - read_face(renderer.vertices(renderer.rest_row)).lip_gap
    found = [replace(reading, lip_gap=reading.lip_gap - dark_line) for reading in found]
    figures += _errors(pictured, portrait.face.eye_distance, names, asked, found)
    return figures + _angle_errors(names, turns - wanted)


def _errors(
    pictured: Reading, unit: float, names: list[str], asked: list[Reading], found: list[Reading]
) -> list[Figure]:
    figures = []
    for name in ("lip_gap", "lip_width"):
        error = np.array([getattr(b, name) - getattr(a, name) for a, b in zip(asked, found)]) / unit
        figures.append(_mean(name.replace("_", " "), 100 * error, "% of eye distance", 3.0, names))
    own = np.maximum(pictured.lids, 1e-3)
    lids = np.array([(b.lids - a.lids) / own for a, b in zip(asked, found)])  # [T, 2]
    figures.append(_mean("lid opening", 100 * lids, "% of range", 10.0, names))
    heights = np.array([a.brows for a in asked])
    brows = np.array([b.brows for b in found]) - heights
    span = np.maximum(np.ptp(heights, axis=0), 0.1)
    figures.append(_mean("brow height", 100 * brows / span, "% of range", 10.0, names))
    return figures


def shut_figure(portrait: Portrait, renderer, rows: np.ndarray) -> Figure:
    """Return how far open the detector finds shut eyes: of the wider one, the mean over rows float32 [T, 58].

    One reading scatters by a hundredth or two from pose to pose. A face that is lost counts as wide open.
    """
    meshes = [track(renderer.draw(values), portrait) for values in rows]
    lids = np.mean([np.ones(2) if mesh is None else read_face(mesh).lids for mesh in meshes], axis=0)
    return Figure("closed eye", float(lids.max()), "eye aspect ratio", _SHUT)


def _angle_errors(names: list[str], errors: np.ndarray) -> list[Figure]:
    return [
        _mean(angle.replace("head", "head ").lower(), error, "degrees", 2.5, names)
        for angle, error in zip(_ANGLES, errors.T)
    ]


def _mean(name: str, errors: np.ndarray, unit: str, bar: float, names: list[str]) -> Figure:
    errors = np.abs(errors).reshape(len(names), -1)
    worst = int(errors.max(axis=1).argmax())
    return Figure(name, float(errors.mean()), unit, bar, note=f"worst {errors[worst].max():.3g} at {names[worst]}")
