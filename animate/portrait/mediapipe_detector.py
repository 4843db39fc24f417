"""Find faces with MediaPipe FaceMesh, whose weights lie in the `mediapipe==0.10.21` wheel."""

from __future__ import annotations

import os
import threading
from contextlib import contextmanager
from dataclasses import replace
from functools import cache

import cv2
import numpy as np

from animate.errors import DependencyError
from animate.portrait.landmarks import FaceCandidate
from animate.topology import EYE_LEFT_UPPER, EYE_RIGHT_UPPER, MIRROR

_SEARCH_PX = 1280  # long side of the copy in which faces are searched; the networks see 128-192 px anyway
_CROP_PX = 320  # side of a refining crop: its face then matches the 192-px input of the mesh network without aliasing
_REFINE_PX = 480  # width of a face, at most, in the copy that crops are cut from
_SURROUNDINGS = 2.0  # face widths kept around a face in that copy: more than any crop needs
_MAX_FACES = 24  # of each size of tile
_SURE = 0.5  # a face of this confidence is not looked for again in smaller tiles
# Side of the crops, in face sizes, in which a face is told from an animal's, the second where the first leaves doubts:
# one painted in strokes and under a hat scored 0.00 in the first and 0.67 in the second, cats and a llama 0.00 in both.
_SCORED_SIDES = (3.0, 4.0)
_MIN_SCORE = 0.25  # of a search hit; far below any human face, so that refusals can name what was found

# Refining crops: side in face sizes, turn in degrees, mirrored. Averaging them removes most of the network's jitter,
# and mirrored pairs make a mirrored picture give the mirrored mesh.
_VIEWS = tuple((side, turn * sign, sign < 0) for side, turn in ((1.8, 0), (2.1, 6), (2.4, -6)) for sign in (1, -1))


@cache
def load_mediapipe() -> MediaPipeDetector:
    """Load the detector, once per process.

    Raises
    ------
    DependencyError
        If `mediapipe` is missing or is a release without the models.
    """
    return MediaPipeDetector()


@contextmanager
def quiet():
    """Keep MediaPipe's C++ log off the terminal: it writes to file descriptor 2 whatever its log level."""
    saved, sink = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(sink, 2)
    try:
        yield
    finally:
        os.dup2(saved, 2)
        os.close(saved)
        os.close(sink)


def solutions():
    """Import `mediapipe.solutions`.

    Raises
    ------
    DependencyError
        If `mediapipe` is missing or is a release without the models.
    """
    try:
        with quiet():
            from mediapipe.python import solutions as found
            from mediapipe.python.solutions import face_detection, face_mesh, selfie_segmentation  # noqa: F401
    except ImportError as error:
        raise DependencyError(
            f"MediaPipe 0.10.21 is missing ({error}). Install it with: pip install mediapipe==0.10.21 "
            "(on slim Debian systems also: apt-get install libgl1 libglib2.0-0)."
        ) from None
    return found


class MediaPipeDetector:
    """FaceMesh with irises, refined on crops so that precision does not depend on the face's share of the picture."""

    def __init__(self):
        found = solutions()
        self._lock = threading.Lock()  # a MediaPipe graph serves one caller at a time
        with quiet():
            self._mesh = found.face_mesh.FaceMesh(
                static_image_mode=True, refine_landmarks=True, max_num_faces=2, min_detection_confidence=0.2
            )
            self._ranges = [
                found.face_detection.FaceDetection(model_selection=model, min_detection_confidence=_MIN_SCORE)
                for model in (0, 1)  # 0 sees faces that fill the picture, 1 small ones
            ]
            blank = np.zeros((_CROP_PX, _CROP_PX, 3), np.uint8)
            for graph in (self._mesh, *self._ranges):  # the first run logs too
                graph.process(blank)

    def detect(self, image: np.ndarray) -> list[FaceCandidate]:
        """Return the faces in a picture, uint8 [H, W, 3] RGB, the largest first."""
        with self._lock, quiet():
            faces = []
            for tile_px in _tile_sides(max(image.shape[:2])):
                known = [face for face in faces if face.confidence > _SURE]
                boxes = [
                    box for box in self._search(image, tile_px) if not any(_shares(box, face.box) for face in known)
                ]
                for box in boxes[:_MAX_FACES]:
                    face = self._refine(image, box)
                    rivals = [other for other in faces if face and _overlap(face.box, other.box) > 0.3]
                    if face and all(face.confidence > other.confidence for other in rivals):
                        faces = [other for other in faces if other not in rivals] + [face]
            if any(face.confidence > _SURE for face in faces):
                faces = [face for face in faces if face.confidence > _MIN_SCORE]  # patterns beside people
            return sorted(faces, key=lambda face: face.box[0] - face.box[2])

    def follow(self, image: np.ndarray, last: np.ndarray) -> FaceCandidate | None:
        """Return a face in the next frame of a video, or None if it is not where it was.

        Costs a tenth of `detect`. The confidence says only in how many of the views the face was found.

        Parameters
        ----------
        image : uint8 [H, W, 3]
            RGB.
        last : float32 [478, 3]
            The face in the frame before.
        """
        centre, size, roll_deg = _frame(last)
        views = [_View(centre, 2.0 * size, roll_deg, mirrored) for mirrored in (False, True)]
        with self._lock, quiet():
            meshes = self._meshes_in(image, views, _box(last), 0.3)
        if not meshes:
            return None
        mean, spread = _mean_and_spread(meshes)
        return FaceCandidate(mean.astype(np.float32), len(meshes) / len(views), spread)

    def _search(self, image: np.ndarray, tile_px: int) -> list[tuple[float, float, float, float]]:
        """Return boxes in tiles that overlap by half, the largest box first."""
        height, width = image.shape[:2]
        boxes = []
        for y0 in range(0, max(1, height - tile_px // 2), tile_px // 2):
            for x0 in range(0, max(1, width - tile_px // 2), tile_px // 2):
                found = self._boxes(image[y0 : y0 + tile_px, x0 : x0 + tile_px])
                boxes += [(x0 + a, y0 + b, x0 + c, y0 + d) for a, b, c, d in found]
        return sorted(boxes, key=lambda box: box[0] - box[2])

    def _boxes(self, tile: np.ndarray) -> list[tuple[float, float, float, float]]:
        height, width = tile.shape[:2]
        scale = min(1.0, _SEARCH_PX / max(height, width))
        if scale < 1:
            tile = cv2.resize(tile, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        boxes = []
        for graph in self._ranges:
            for detection in graph.process(np.ascontiguousarray(tile)).detections or ():
                box = detection.location_data.relative_bounding_box
                left, top = box.xmin * width, box.ymin * height
                boxes.append((left, top, left + box.width * width, top + box.height * height))
        return boxes

    def _refine(self, image: np.ndarray, box) -> FaceCandidate | None:
        """Find the mesh on a copy of the surroundings of a box in which the face is at most 480 px wide."""
        size = max(box[2] - box[0], 1.0)
        scale = min(1.0, _REFINE_PX / size)
        x0, y0 = (max(0, int(low - _SURROUNDINGS * size)) for low in box[:2])
        x1, y1 = (max(1, int(high + _SURROUNDINGS * size)) for high in box[2:])
        part = image[y0:y1, x0:x1]
        if scale < 1:
            part = cv2.resize(part, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        found = self._mean_mesh(part, (np.array(box).reshape(2, 2) - (x0, y0)) * scale)
        if found is None:
            return None
        return replace(found, vertices=(found.vertices / scale + (x0, y0, 0)).astype(np.float32))

    def _mean_mesh(self, image: np.ndarray, box: np.ndarray) -> FaceCandidate | None:
        """Run the mesh on crops around a box [2, 2] until it settles, then average it over several views."""
        centre, size, roll_deg = box.mean(axis=0), float(box[1, 0] - box[0, 0]), 0.0
        near = tuple(box.ravel())
        for _ in range(2):
            views = [_View(centre, 2.0 * size, roll_deg, mirrored) for mirrored in (False, True)]
            meshes = self._meshes_in(image, views, near, 0.2)
            if not meshes:
                return None
            near = _box(np.mean(meshes, axis=0))
            centre, size, roll_deg = _frame(np.mean(meshes, axis=0))
        views = [_View(centre, side * size, roll_deg + turn, mirrored) for side, turn, mirrored in _VIEWS]
        meshes = self._meshes_in(image, views, near, 0.5)
        if not meshes:
            return None
        mean, spread = _mean_and_spread(meshes)
        # A mesh that is lost in some views is as doubtful as a low score.
        confidence = self._human_score(image, mean) * len(meshes) / len(views)
        return FaceCandidate(mean, confidence, spread)

    def human_score(self, image: np.ndarray, vertices: np.ndarray) -> float:
        """Return how sure the full-range face detector is of a face found by anyone, 0 to 1.

        It tells people from animals far better than the short-range network and than the mesh itself;
        `animate.portrait.checks` gives the figures.

        Parameters
        ----------
        image : uint8 [H, W, 3]
        vertices : float32 [478, 3]
        """
        with self._lock, quiet():
            return self._human_score(image, vertices)

    def _human_score(self, image: np.ndarray, vertices: np.ndarray) -> float:
        centre, size, roll_deg = _frame(vertices)
        score = 0.0
        for side in _SCORED_SIDES:
            views = [_View(centre, side * size, roll_deg, mirrored) for mirrored in (False, True)]
            score = max(score, float(np.mean([self._score_in(image, view) for view in views])))
            if score > _SURE:
                break
        return score

    def _score_in(self, image: np.ndarray, view: _View) -> float:
        found = self._ranges[1].process(view.cut(image)[0]).detections or ()
        return max((detection.score[0] for detection in found), default=0.0)

    def _meshes_in(self, image: np.ndarray, views: list[_View], box, least_overlap: float) -> list[np.ndarray]:
        """Return the meshes found in views of a face, without those of a neighbour's."""
        meshes = (self._mesh_in(image, view) for view in views)
        return [mesh for mesh in meshes if mesh is not None and _overlap(_box(mesh), box) > least_overlap]

    def _mesh_in(self, image: np.ndarray, view: _View) -> np.ndarray | None:
        """Return the mesh nearest to the centre of a view, float64 [478, 3] in pixels of the picture."""
        crop, to_picture = view.cut(image)
        found = self._mesh.process(crop).multi_face_landmarks
        if not found:
            return None
        meshes = np.array([[(p.x, p.y, p.z) for p in face.landmark] for face in found]) * _CROP_PX  # [N, 478, 3]
        off_centre = np.linalg.norm(meshes[..., :2].mean(axis=1) - _CROP_PX / 2, axis=-1)
        mesh = meshes[off_centre.argmin()]
        mesh = mesh[MIRROR] if view.mirrored else mesh
        xy = mesh[:, :2] @ to_picture[:, :2].T + to_picture[:, 2]
        return np.column_stack([xy, mesh[:, 2] * view.side_px / _CROP_PX])


class _View:
    """A square cut from the picture, `side_px` wide there, turned upright by `roll_deg` and perhaps mirrored."""

    def __init__(self, centre: np.ndarray, side_px: float, roll_deg: float, mirrored: bool):
        self.centre, self.side_px, self.roll_deg, self.mirrored = centre, side_px, roll_deg, mirrored

    def cut(self, image: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return uint8 [320, 320, 3] and the map from its pixels to the picture's, float64 [2, 3]."""
        scale, turn = self.side_px / _CROP_PX, np.radians(self.roll_deg)
        axes = scale * np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
        if self.mirrored:
            axes = axes @ np.diag([-1.0, 1.0])
        to_picture = np.column_stack([axes, self.centre - axes @ np.full(2, _CROP_PX / 2)])
        # Shrink first, by areas: warpAffine alone would alias.
        reach = 0.75 * self.side_px
        height, width = image.shape[:2]
        x0, x1 = (int(np.clip(self.centre[0] + side * reach, 0, width)) for side in (-1, 1))
        y0, y1 = (int(np.clip(self.centre[1] + side * reach, 0, height)) for side in (-1, 1))
        x0, y0, x1, y1 = min(x0, width - 1), min(y0, height - 1), max(x1, x0 + 1), max(y1, y0 + 1)
        part = image[y0:y1, x0:x1]
        shrink = np.ones(2)
        if scale > 1:
            size = max(1, round(part.shape[1] / scale)), max(1, round(part.shape[0] / scale))
            shrink = np.array(size) / (part.shape[1], part.shape[0])
            part = cv2.resize(part, size, interpolation=cv2.INTER_AREA)
        to_part = to_picture.copy()
        to_part[:, 2] -= (x0, y0)
        to_part *= shrink[:, None]
        # MediaPipe's coordinates put 0 at the edge of the first pixel, OpenCV's at its centre.
        to_part[:, 2] += to_part[:, :2] @ (0.5, 0.5) - 0.5
        flags = cv2.WARP_INVERSE_MAP | (cv2.INTER_CUBIC if scale < 1 else cv2.INTER_LINEAR)
        crop = cv2.warpAffine(part, to_part, (_CROP_PX, _CROP_PX), flags=flags, borderMode=cv2.BORDER_REPLICATE)
        return crop, to_picture


def _tile_sides(side_px: int) -> list[int]:
    """Return the sides of tiles to search: the whole picture, then ever smaller ones.

    A face fills at least 7 % of its tile or is missed; below 440 px that is less than half of what can be animated.
    """
    return [side_px] + [side for part in (2, 4) if (side := side_px // part) >= 440]


def _mean_and_spread(meshes: list[np.ndarray]) -> tuple[np.ndarray, float]:
    """Return the mean [478, 3] of meshes, and how far they are from it in eye distances."""
    mean = np.mean(meshes, axis=0)
    eyes = [mean[[chain[0], chain[-1]], :2].mean(axis=0) for chain in (EYE_RIGHT_UPPER, EYE_LEFT_UPPER)]
    apart = np.linalg.norm(np.array(meshes)[..., :2] - mean[:, :2], axis=-1).mean()
    return mean, float(apart / np.linalg.norm(eyes[0] - eyes[1]))


def _frame(vertices: np.ndarray) -> tuple[np.ndarray, float, float]:
    """Return the centre, the size and the roll in degrees of a mesh in the picture."""
    right, left = vertices[EYE_RIGHT_UPPER[0], :2], vertices[EYE_LEFT_UPPER[0], :2]
    low, high = vertices[:, :2].min(axis=0), vertices[:, :2].max(axis=0)
    roll_deg = float(np.degrees(np.arctan2(*(left - right)[::-1])))
    return (low + high) / 2, float((high - low).max()), roll_deg


def _box(vertices: np.ndarray) -> tuple[float, ...]:
    return (*vertices[:, :2].min(axis=0), *vertices[:, :2].max(axis=0))


def _shares(box, face) -> bool:
    """Tell whether the middle of a box lies on a face."""
    x, y = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
    return face[0] < x < face[2] and face[1] < y < face[3]


def _overlap(a, b) -> float:
    """Return the intersection over union of two boxes."""
    across, down = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    if across <= 0 or down <= 0:
        return 0.0
    area = [(box[2] - box[0]) * (box[3] - box[1]) for box in (a, b)]
    return across * down / (sum(area) - across * down)
