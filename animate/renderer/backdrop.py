"""The still background: where the person ends, and what was behind."""

from functools import partial

import cv2
import numpy as np

_HOLD = 0.11  # eye distances beyond the matte that still move with the person: hair is finer than any matte
_STRAY = 0.45  # eye distances beyond the matte within which strands and spectacles are looked for
_SOFT_FROM, _SURE = 0.35, 0.9  # of the matte: where the edge of a cutout begins and where it is opaque
_VEIL = 0.06  # eye distances from what is surely person within which the rest is believed
_FADE = 0.14  # eye distances over which the moving part then fades into the still background


def person_alpha(image: np.ndarray, matte: np.ndarray, face_points: np.ndarray, eye_distance: float) -> np.ndarray:
    """Return how far each pixel moves with the person: the matte's part that holds the face, widened and softened.

    Parameters
    ----------
    image : uint8 [H, W, 3]
    matte : float32 [H, W]
    face_points : float [N, 2]
        Pixels; their hull belongs to the person whatever the matte says.
    eye_distance : float
        Pixels.

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
    distance = cv2.distanceTransform(1 - _with_stray_parts(image, person, eye_distance), cv2.DIST_L2, 5)
    fade = np.clip((distance / eye_distance - _HOLD) / _FADE, 0, 1)
    return np.round(255 * (1 - fade * fade * (3 - 2 * fade))).astype(np.uint8)


def _with_stray_parts(image: np.ndarray, person: np.ndarray, eye_distance: float) -> np.ndarray:
    """Add strands, spectacles and earrings that stand out of the matte, where the background is plain enough to tell.

    They are what differs clearly from the background further out, near the matte and joined to it.

    Parameters
    ----------
    image : uint8 [H, W, 3]
    person : uint8 [H, W]
        1 on the person.
    eye_distance : float
        Pixels.

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
    touching = np.ones((3, 3), np.uint8)
    _, labels = cv2.connectedComponents(cv2.dilate(stray | body, touching))
    kept = stray & np.isin(labels, np.unique(labels[body > 0]))
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
    return (share * share * (3 - 2 * share)).astype(np.float32)


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
