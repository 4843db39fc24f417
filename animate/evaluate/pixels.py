"""What must not change: the picture at rest, the background, grey, the mirror image, and who it is."""

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np

from animate.errors import AnimateError, DependencyError
from animate.evaluate.closed_loop import track
from animate.evaluate.figures import Figure
from animate.evaluate.rows import mirrored, row
from animate.portrait import portrait_from_image
from animate.topology import NUM_SKIN
from animate.types import Motion, Portrait

_REACH = 1.0  # eye distances around the matte: as far as a turning or nodding head carries hair
_FIVE_POINTS = ((33, 133), (362, 263), (1,), (61,), (291,))  # eyes, tip of the nose, corners of the mouth


def rest_figure(portrait: Portrait, renderer) -> Figure:
    """Return the largest difference from the picture when nothing moves."""
    difference = np.abs(renderer.draw(renderer.rest_row).astype(int) - portrait.image)
    return Figure("rest", float(difference.max()), "of 255", 0)


def outside_figure(portrait: Portrait, renderer, rows: np.ndarray) -> Figure:
    """Return the largest change beyond the person, whom the matte widened by one eye distance holds."""
    reach = 2 * round(_REACH * portrait.face.eye_distance) + 1
    person = cv2.dilate((portrait.matte > 0.4).astype(np.uint8), np.ones((reach, reach), np.uint8)) > 0
    worst = 0
    if not person.all():
        for values in rows:
            changed = np.abs(renderer.draw(values).astype(int) - portrait.image).max(axis=2)
            worst = max(worst, int(changed[~person].max()))
    return Figure("outside the person", float(worst), "of 255", 0)


def grey_figure(portrait: Portrait, make_renderer, rows: np.ndarray) -> Figure:
    """Return the largest difference between the channels of a grey version of the portrait in motion."""
    grey = np.repeat(cv2.cvtColor(portrait.image, cv2.COLOR_RGB2GRAY)[..., None], 3, axis=2)
    renderer = make_renderer(replace(portrait, image=grey))
    return Figure("grey", float(max(np.ptp(renderer.draw(v), axis=2).max() for v in rows)), "of 255", 0)


def mirror_figure(portrait: Portrait, renderer, make_renderer, rows: np.ndarray) -> Figure:
    """Return the mean difference to the mirror image, whose face is found anew."""
    image = np.ascontiguousarray(portrait.image[:, ::-1])
    other = make_renderer(portrait_from_image(image, name=portrait.name))
    apart = [
        np.abs(other.draw(mirrored(values))[:, ::-1].astype(int) - renderer.draw(values)).mean() for values in rows
    ]
    return Figure("mirror", float(np.mean(apart)), "of 255", 1)


def smoothness_figure(portrait: Portrait, renderer, motion: Motion) -> Figure:
    """Return the largest second difference of the tracked face beyond the one that the motion asked for.

    The vertices that lie on enough texture are followed from frame to frame by optical flow (Lucas & Kanade 1981),
    which finds a pop of a few hundredths of a pixel; MediaPipe strays by more than the bar from frame to frame.
    """
    unit = portrait.face.eye_distance
    luma, places = None, None
    flows, asked = [], []
    for values in motion.values:
        image, now = cv2.cvtColor(renderer.draw(values), cv2.COLOR_RGB2GRAY), renderer.vertices(values)[:NUM_SKIN]
        if luma is None:
            textured = _textured(image, now, unit)
        else:
            window = (2 * round(0.1 * unit) + 3,) * 2
            found, _, _ = cv2.calcOpticalFlowPyrLK(luma, image, places[textured], now[textured].copy(), winSize=window,
                                                   flags=cv2.OPTFLOW_USE_INITIAL_FLOW)  # fmt: skip
            flows.append(found - places[textured])
            asked.append((now - places)[textured])
        luma, places = image, now
    jerk = np.diff(np.array(flows) - np.array(asked), axis=0)  # [T - 2, N, 2]
    size = 100 * np.median(np.linalg.norm(jerk, axis=2), axis=1) / unit
    note = f"mean {size.mean():.3f}, over {textured.sum()} vertices"
    return Figure("smoothness", float(size.max()), "% of eye distance", 0.3, note=note)


def _textured(luma: np.ndarray, places: np.ndarray, unit: float) -> np.ndarray:
    """Return which places, float32 [N, 2] px, have enough texture to be followed: the better half."""
    strength = cv2.cornerMinEigenVal(luma, max(3, round(0.1 * unit)))
    x, y = np.clip(np.round(places).astype(int).T, 0, np.array(luma.shape[::-1])[:, None] - 1)
    return strength[y, x] >= np.median(strength[y, x])


def identity_figure(portrait: Portrait, renderer, rows: np.ndarray, model: Path | str) -> Figure:
    """Return how much like the source an independent face recogniser finds the frames.

    Parameters
    ----------
    portrait : Portrait
    renderer : MeshRenderer
    rows : float32 [R, 58]
    model : Path or str
        ONNX file of `cv2.FaceRecognizerSF` (SFace, Zhong et al. 2021).

    Returns
    -------
    Figure
        Mean cosine similarity; the bar is that of two mild crops and re-encodings of the picture, less 0.05.

    Raises
    ------
    DependencyError
        If the file is missing.
    """
    if not Path(model).is_file():
        raise DependencyError(f"There is no face recogniser {model}. Give OpenCV's SFace model as an .onnx file.")
    try:
        network = cv2.FaceRecognizerSF.create(str(model), "")
    except cv2.error as error:
        raise DependencyError(f"{model} is not an SFace model that OpenCV can read ({error.err}).") from None

    def embed(image):
        mesh = track(image, portrait)
        if mesh is None:
            return None
        points = np.array([mesh[list(part), :2].mean(axis=0) for part in _FIVE_POINTS])
        face = np.concatenate([[0, 0, *image.shape[1::-1]], points.ravel(), [1.0]]).astype(np.float32)
        feature = network.feature(network.alignCrop(np.ascontiguousarray(image[..., ::-1]), face[None]))[0]
        return feature / np.linalg.norm(feature)

    source = embed(portrait.image)
    if source is None:
        raise AnimateError(f"The face in {portrait.name} is not found again; its identity cannot be measured.")
    versions = [embed(_recoded(portrait.image, edge, quality)) for edge, quality in ((0.02, 80), (0.04, 60))]
    baseline = float(versions[0] @ versions[1]) if all(v is not None for v in versions) else 1.0
    embedded = [feature for values in rows if (feature := embed(renderer.draw(values))) is not None]
    similarity = float(np.mean([source @ feature for feature in embedded])) if embedded else 0.0
    return Figure("identity", similarity, "cosine", round(baseline - 0.05, 3), at_least=True)


def _recoded(image: np.ndarray, edge: float, quality: int) -> np.ndarray:
    """Return the picture with a share of each side cut off, through JPEG of some quality."""
    cut_y, cut_x = (round(edge * side) for side in image.shape[:2])
    crop = np.ascontiguousarray(image[cut_y : image.shape[0] - cut_y, cut_x : image.shape[1] - cut_x, ::-1])
    return cv2.imdecode(cv2.imencode(".jpg", crop, [cv2.IMWRITE_JPEG_QUALITY, quality])[1], 1)[..., ::-1]


def turned_rows() -> np.ndarray:
    """Return rows that turn the head by 10 degrees each way, float32 [4, 58]."""
    return np.stack([row(**{name: angle}) for name in ("headYaw", "headPitch") for angle in (-10, 10)])
