"""Which pixels belong to whom, where several people stand together, and who stands in front."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import permutations

import cv2
import numpy as np
from scipy.ndimage import distance_transform_edt
from skimage.segmentation import watershed

from animate.portrait.matte import head_mask, person_matte
from animate.topology import CHIN, EYE_LEFT_UPPER, EYE_RIGHT_UPPER, FACE_OVAL, FOREHEAD, NUM_SKIN

_WORK_PX = 640  # long side of the copy that is divided
_TORSO = 2.5  # face heights below the chin that are surely the same person's, where nobody stands before them
_SOFT = 0.03  # eye distances over which one person passes into the next
_FACE_COUNTS = 0.25  # of its height, by which a larger face counts as lower
_ON_HEAD = 0.1  # share of a face on another's head from which it must be in front
_HAIR = 0.6  # eye distances around a head in which its hair may hide who is behind
_COMPACT = 1e-3  # weight of nearness against edges of the picture (Neubert & Protzel 2014)


@dataclass(frozen=True, eq=False)
class Cutting:
    """One person cut out of a picture.

    Attributes
    ----------
    matte : float32 [H, W]
        1 where this person is.
    in_front, behind : float32 [H, W] or None
        1 where other people are who stand before this one, or beside and behind; None where there are none.
    """

    matte: np.ndarray
    in_front: np.ndarray | None = None
    behind: np.ndarray | None = None


def person_mattes(image: np.ndarray, meshes: list[np.ndarray], wanted: list[int]) -> list[Cutting]:
    """Cut people out of a picture, each without the others.

    What the segmenter takes for people is divided among the faces along the edges of the picture, by a compact
    watershed from each head and the body below it. Of two that overlap, the one whose face reaches lower and is larger
    stands in front.

    Parameters
    ----------
    image : uint8 [H, W, 3]
    meshes : list of float32 [478, 3]
        All faces of people in the picture, pixels.
    wanted : list of int
        Places in `meshes`.

    Raises
    ------
    DependencyError
        If MediaPipe is missing.
    """
    if len(meshes) == 1:
        return [Cutting(person_matte(image, meshes[0])) for _ in wanted]
    mattes = [person_matte(image, mesh) for mesh in meshes]
    anyone = np.max(mattes, axis=0)
    order = front_first(meshes, image.shape[:2])
    owner = _owners(image, anyone, meshes, order)
    own = []
    for index, mesh in enumerate(meshes):
        theirs = cv2.GaussianBlur((owner == index).astype(np.float32), (0, 0), _SOFT * _eye_distance(mesh) + 0.3)
        own.append(np.minimum(anyone, theirs))
    cuttings = []
    for index in wanted:
        rank = order.index(index)
        in_front, behind = ([own[other] for other in part] for part in (order[:rank], order[rank + 1 :]))
        cuttings.append(Cutting(own[index], *(np.max(part, axis=0) if part else None for part in (in_front, behind))))
    return cuttings


def front_first(meshes: list[np.ndarray], shape: tuple[int, int]) -> list[int]:
    """Return the order of depth, places in `meshes`, for a picture of `shape` H, W.

    Who is lower and larger stands in front; but a face that lies on another's head is in front of it, or it could not
    be seen.

    Examples
    --------
    >>> from animate.topology import canonical_vertices
    >>> small = np.vstack([canonical_vertices(), np.zeros((10, 3))])
    >>> front_first([10 * small + 300, 20 * small + 300], (600, 600))  # the small face would be hidden
    [0, 1]
    """
    low = [-mesh[CHIN, 1] - _FACE_COUNTS * _face_height(mesh) for mesh in meshes]
    order = sorted(range(len(meshes)), key=low.__getitem__)
    heads = [head_mask(mesh[:, :2], shape) for mesh in meshes]
    on_head = [[_share_on(mesh, head) for head in heads] for mesh in meshes]
    for face, head in permutations(range(len(meshes)), 2):
        if on_head[face][head] > max(_ON_HEAD, on_head[head][face]) and order.index(face) > order.index(head):
            order.remove(face)
            order.insert(order.index(head), face)
    return order


def _share_on(mesh: np.ndarray, head: np.ndarray) -> float:
    """Return the share of a face's skin that lies on a head, uint8 [H, W]."""
    x, y = np.clip(mesh[:NUM_SKIN, :2].astype(int).T, 0, np.array(head.shape[::-1])[:, None] - 1)
    return float(head[y, x].mean())


def _owners(image: np.ndarray, anyone: np.ndarray, meshes: list[np.ndarray], order: list[int]) -> np.ndarray:
    """Return to whom each pixel is nearest, int16 [H, W], places in `meshes`; on people, to whom it belongs."""
    height, width = image.shape[:2]
    scale = min(1.0, _WORK_PX / max(height, width))
    small = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA) if scale < 1 else image
    people = cv2.resize(anyone, small.shape[1::-1], interpolation=cv2.INTER_AREA) > 0.5
    markers, taken = np.zeros(people.shape, np.int32), np.zeros(people.shape, np.uint8)
    for index in order:
        mesh = meshes[index] * scale
        head, torso = head_mask(mesh[:, :2], people.shape), np.zeros(people.shape, np.uint8)
        cv2.fillConvexPoly(torso, _torso(mesh), 1)
        sure = (head > 0) | ((torso > 0) & people & (markers == 0))
        markers[sure & (taken == 0)] = index + 1
        hair = np.ones((2 * round(_HAIR * _eye_distance(mesh)) + 1,) * 2, np.uint8)
        taken |= cv2.dilate(head, hair)  # what may be hair of this one is not surely anybody else's
    smooth = cv2.GaussianBlur(small, (0, 0), 1.0).astype(np.float32) / 255
    edges = np.hypot(*(cv2.Sobel(smooth, cv2.CV_32F, *axis).max(axis=2) for axis in ((1, 0), (0, 1))))
    owner = watershed(edges, markers, mask=people | (markers > 0), compactness=_COMPACT)
    nearest = distance_transform_edt(owner == 0, return_distances=False, return_indices=True)
    owner = owner[tuple(nearest)] - 1
    return cv2.resize(owner.astype(np.int16), (width, height), interpolation=cv2.INTER_NEAREST)


def _torso(mesh: np.ndarray) -> np.ndarray:
    """Return the corners of what lies below a face, int32 [4, 2]."""
    oval, tall = mesh[list(FACE_OVAL), :2], _face_height(mesh)
    centre, half = mesh[CHIN, 0], 0.3 * np.ptp(oval[:, 0])
    top, bottom = mesh[CHIN, 1], mesh[CHIN, 1] + _TORSO * tall
    corners = [(centre - half, top), (centre + half, top), (centre + 2 * half, bottom), (centre - 2 * half, bottom)]
    return np.round(corners).astype(np.int32)


def _face_height(mesh: np.ndarray) -> float:
    return float(np.linalg.norm(mesh[CHIN, :2] - mesh[FOREHEAD, :2]))


def _eye_distance(mesh: np.ndarray) -> float:
    right, left = (mesh[[chain[0], chain[-1]], :2].mean(axis=0) for chain in (EYE_RIGHT_UPPER, EYE_LEFT_UPPER))
    return float(np.hypot(*(left - right)))
