"""The still background: where the person ends, and what was behind."""

from functools import partial

import cv2
import numpy as np

from animate.easing import smoothstep
from animate.renderer.attachment import STRANDS, bare_margins
from animate.renderer.masks import joined

_STRAY = 0.45  # eye distances beyond the matte within which strands and spectacles are looked for
_SOFT_FROM, _SURE = 0.35, 0.9  # of the matte: where the edge of a cutout begins and where it is opaque
_VEIL = 0.06  # eye distances from what is surely person within which the rest is believed
_RIM = 0.16  # eye distances of those behind a person that move along: their edge is less seen than a strand left behind
_EDGE = 0.07  # and of those before
_FADE = 0.14  # eye distances over which the moving part then fades into the still background


class StillLayer:
    """A part of a picture that is laid over frames as it is.

    Parameters
    ----------
    image : uint8 [H, W, 3]
    alpha : uint8 [H, W]
        255 where it covers what is under it.
    """

    def __init__(self, image: np.ndarray, alpha: np.ndarray):
        self.image, self.alpha = image, alpha
        rows, columns = (np.flatnonzero(alpha.any(axis=axis)) for axis in (1, 0))
        self._box = np.s_[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1] if len(rows) else np.s_[:0, :0]
        self._solid = (alpha[self._box] == 255)[..., None]
        self._soft = np.nonzero((alpha > 0) & (alpha < 255))
        self._weight = alpha[self._soft][:, None].astype(np.uint16)  # [n, 1]

    def draw(self, frame: np.ndarray) -> None:
        """Lay it over a frame uint8 [H, W, 3], in place."""
        np.copyto(frame[self._box], self.image[self._box], where=self._solid)
        mixed = self._weight * self.image[self._soft] + (255 - self._weight) * frame[self._soft]
        frame[self._soft] = (mixed + 127) // 255

    def without(self, window: tuple[slice, slice], bands: list[tuple[slice, slice]]) -> "StillLayer":
        """Return what is left of it outside some boxes of a window of the picture."""
        alpha = self.alpha.copy()
        for band in bands:
            alpha[window][band] = 0
        return StillLayer(self.image, alpha)


def person_alpha(
    image: np.ndarray,
    matte: np.ndarray,
    face_points: np.ndarray,
    eye_distance: float,
    in_front: np.ndarray | None = None,
    behind: np.ndarray | None = None,
) -> np.ndarray:
    """Return how far each pixel moves with the person: the matte's part that holds the face, widened and softened.

    Parameters
    ----------
    image : uint8 [H, W, 3]
    matte : float32 [H, W]
    face_points : float [N, 2]
        Pixels; their hull belongs to the person whatever the matte says.
    eye_distance : float
        Pixels.
    in_front, behind : float32 [H, W], optional
        Other people, as in `Portrait`. They are left out, but for a narrow rim of those who are not in front.

    Returns
    -------
    uint8 [H, W]
        255 on the person and just around, 0 on the background.
    """
    mask = (matte > 0.4).astype(np.uint8)
    hull = cv2.convexHull(np.round(face_points).astype(np.int32))
    cv2.fillConvexPoly(mask, hull, 1)
    _, labels = cv2.connectedComponents(mask)
    x, y = np.clip(face_points.mean(axis=0).astype(int), 0, np.array(mask.shape)[::-1] - 1)
    person = (labels == labels[y, x]).astype(np.uint8)
    if person.all():
        return np.full(mask.shape, 255, np.uint8)
    others = np.max([part for part in (in_front, behind, 0 * matte) if part is not None], axis=0)
    whole = _with_stray_parts(image, person, eye_distance, others)
    distance = cv2.distanceTransform(1 - whole, cv2.DIST_L2, 5)
    share = 1 - smoothstep((distance / eye_distance - STRANDS) / _FADE)
    left, top, right, bottom = bare_margins(whole > 0, eye_distance)
    share *= _ramp(share.shape[0], top, bottom)[:, None] * _ramp(share.shape[1], left, right)
    if in_front is not None:
        share *= 1 - people_before(in_front, eye_distance)
    if behind is not None:
        share *= 1 - without_rim(behind, _RIM * eye_distance)
    return np.round(255 * share).astype(np.uint8)


def _ramp(length: int, before: float, after: float) -> np.ndarray:
    """Return float [length] that rises from 0 over the first `before` pixels and falls to 0 over the last `after`."""
    place = np.arange(length, dtype=np.float32)
    return smoothstep(np.minimum((place + 1) / (before + 1), (length - place) / (after + 1)))


def people_before(in_front: np.ndarray, eye_distance: float) -> np.ndarray:
    """Return where people stand before a person, less what may be this person's own edge, float32 [H, W]."""
    return without_rim(in_front, _EDGE * eye_distance)


def without_rim(mask: np.ndarray, width_px: float) -> np.ndarray:
    """Return a mask float32 [H, W] that is narrower by `width_px` on all sides, its edge soft."""
    kernel = np.ones((2 * round(width_px) + 1,) * 2, np.uint8)
    return cv2.GaussianBlur(cv2.erode(mask, kernel), (0, 0), 0.2 * width_px + 0.3)


def _with_stray_parts(image: np.ndarray, person: np.ndarray, eye_distance: float, others: np.ndarray) -> np.ndarray:
    """Add strands, spectacles and earrings that stand out of the matte, where the background is plain enough to tell.

    They are what differs clearly from the background further out, near the matte and joined to it.

    Parameters
    ----------
    image : uint8 [H, W, 3]
    person : uint8 [H, W]
        1 on the person.
    eye_distance : float
        Pixels.
    others : float32 [H, W]
        1 on other people, who are no part of this one.

    Returns
    -------
    uint8 [H, W]
        Like `person`.
    """
    scale = min(1.0, 40 / eye_distance)  # coarse is quick, and fine enough
    size = tuple(max(8, round(length * scale)) for length in person.shape[::-1])
    unit = eye_distance * scale
    small = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    body = cv2.resize(person, size, interpolation=cv2.INTER_AREA)
    distance = cv2.distanceTransform(1 - body, cv2.DIST_L2, 5)
    far = distance > _STRAY * unit
    ring = far & (distance < 2 * _STRAY * unit)
    if ring.sum() < 50:
        return person
    other = np.abs(small - diffuse_fill(small, far)).max(axis=2)
    pattern = np.abs(small - cv2.GaussianBlur(small.astype(np.float32), (0, 0), 0.25 * unit)).max(axis=2)[ring]
    stray = ((other > max(22.0, 4 * float(np.percentile(pattern, 80)))) & ~far).astype(np.uint8)
    reach = np.ones((2 * round(_STRAY * unit / 2) + 1,) * 2, np.uint8)
    stray[cv2.dilate(cv2.resize(others, size, interpolation=cv2.INTER_AREA), reach) > 0.2] = 0
    touching = np.ones((3, 3), np.uint8)
    kept = stray & joined(cv2.dilate(stray | body, touching) > 0, body > 0)
    return person | cv2.resize(kept, person.shape[::-1], interpolation=cv2.INTER_NEAREST)


def fill_behind(image: np.ndarray, alpha: np.ndarray, eye_distance: float) -> np.ndarray:
    """Return the picture without the person, uint8 [H, W, 3].

    Near the person the background is mirrored at the edge, which keeps its texture and grain; further in it fades
    to a smooth fill. Pixels with `alpha` below 255 stay as they are.
    """
    hole = alpha == 255
    if not hole.any() or hole.all():
        return image.copy()
    smooth = diffuse_fill(image, ~hole)
    distance, labels = cv2.distanceTransformWithLabels(
        hole.astype(np.uint8), cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
    )
    ys, xs = np.nonzero(~hole)
    nearest = np.zeros((labels.max() + 1, 2), np.float32)
    nearest[labels[ys, xs]] = np.column_stack([xs, ys])
    grid = np.stack(np.meshgrid(np.arange(hole.shape[1]), np.arange(hole.shape[0])), axis=-1).astype(np.float32)
    mirrored_at = cv2.GaussianBlur(2 * nearest[labels] - grid, (0, 0), 0.03 * eye_distance + 0.5)
    mirrored = cv2.remap(image, mirrored_at, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
    usable = cv2.remap((~hole).astype(np.float32), mirrored_at, None, cv2.INTER_LINEAR)
    usable *= np.clip(1.5 - distance / (0.8 * eye_distance), 0, 1)
    usable = cv2.GaussianBlur(usable, (0, 0), 0.04 * eye_distance + 0.5)[..., None] ** 2
    filled = smooth + (mirrored - smooth) * usable
    return np.where(hole[..., None], np.round(np.clip(filled, 0, 255)).astype(np.uint8), image)


def sharp_matte(matte: np.ndarray, eye_distance: float) -> np.ndarray:
    """Return a matte, float32 [H, W], without the veil that soft segmentation leaves around a person.

    What is more background than person goes, and so does what lies away from all that is person for sure.
    """
    away = cv2.distanceTransform((matte < _SURE).astype(np.uint8), cv2.DIST_L2, 5) / (_VEIL * eye_distance)
    share = np.clip((matte - _SOFT_FROM) / (_SURE - _SOFT_FROM), 0, 1) * np.clip(2 - away, 0, 1)
    return smoothstep(share).astype(np.float32)


def foreground_colours(image: np.ndarray, matte: np.ndarray) -> np.ndarray:
    """Return the person's own colours, uint8 [H, W, 3], free of the background that shows through hair and edges.

    Blur fusion (Forte 2021, "Approximate Fast Foreground Colour Estimation"), a wide pass and a narrow one. Beyond the
    person the colours go on as they are at its edge, so that neither codecs nor resizing bring the background back.

    Parameters
    ----------
    image : uint8 [H, W, 3]
    matte : float32 [H, W]
    """
    alpha = matte[..., None].astype(np.float32)
    whole = foreground = background = image.astype(np.float32)
    for window in (90, 6):  # pixels, the paper's
        blur = partial(cv2.blur, ksize=(window, window), borderType=cv2.BORDER_REFLECT)
        share = blur(alpha)[..., None]
        foreground = blur(foreground * alpha) / (share + 1e-5)
        background = blur(background * (1 - alpha)) / (1 - share + 1e-5)
        foreground = foreground + alpha * (whole - alpha * foreground - (1 - alpha) * background)
        foreground, background = (np.clip(part, 0, 255) for part in (foreground, background))
    filled = diffuse_fill(foreground, matte > 0.5)
    return np.round(filled + (foreground - filled) * np.minimum(1, 2 * alpha)).astype(np.uint8)


def diffuse_fill(image: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Fill unknown pixels smoothly from known ones by push-pull over a pyramid (Gortler et al. 1996).

    Parameters
    ----------
    image : uint8 or float32 [H, W, 3]
    known : bool [H, W]

    Returns
    -------
    float32 [H, W, 3]
    """
    weight = known.astype(np.float32)
    return _push_pull(image.astype(np.float32) * weight[..., None], weight)


def _push_pull(premultiplied: np.ndarray, weight: np.ndarray) -> np.ndarray:
    share = np.clip(weight, 0, 1)[..., None]
    colour = premultiplied / np.maximum(weight, 1e-6)[..., None]
    if min(weight.shape) <= 2 or weight.min() >= 1:
        mean = premultiplied.sum(axis=(0, 1)) / max(float(weight.sum()), 1e-6)
        return (colour * share + mean * (1 - share)).astype(np.float32)
    coarse = _push_pull(cv2.pyrDown(premultiplied), cv2.pyrDown(weight))
    up = cv2.pyrUp(coarse, dstsize=weight.shape[::-1])
    return colour * share + up * (1 - share)
