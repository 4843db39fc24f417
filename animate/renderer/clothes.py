"""Clothes rest on the trunk: a collar stays where it is while the head turns above it, and what bends is the neck."""

from dataclasses import dataclass

import cv2
import numpy as np

from animate.easing import smoothstep
from animate.renderer.attachment import along_neck
from animate.renderer.head import HeadFrame
from animate.renderer.masks import joined
from animate.renderer.sampling import colours_at
from animate.topology import FACE_OVAL
from animate.types import Portrait

_COARSE = 18.0  # pixels per eye distance: enough to tell a collar from a neck, and quick
# Eye distances.
_BEFORE, _AFTER = (3.2, 2.5), (3.2, 4.0)  # from between the eyes to the edges of what is looked at, across and down
_ALL_HEAD = 0.4  # below the eyes: down to there all of a person is face, hair or hat
_HANGS = 0.35  # above the chin: down to there what is no cloth hangs on the head, as ears and earrings do
_NECK, _HALF_NECK = 0.15, 0.8  # below the chin and to either side of it: there a neck is looked for first
_TRUNK = 0.25  # below the shoulders: from there on what is unlike skin is clothes
_LEAST_BEND, _MOST_BEND = 0.5, 0.6  # what lies between clothes and head bends over their distance within these limits
_EVEN = 0.08  # over which the bend is evened out

_PERSON, _SURE = 0.5, 0.8  # of the matte; between chin and collar the lesser share may still be background
_UNLIKE = 12.0  # CIELAB units between the colours of clothes and those of skin and hair
_SHADED = 0.4  # so much counts how far skin is darker than that of the face, for a chin shades the neck
_PALE, _PALEST = 20.0, 6.0  # chroma of faces between which small differences of hue count the more the paler they are
_BARE = 0.7  # of a face is skin without brows, lips and shadows
_SHADES = 6
_ROUNDS = 2
_EDGE = 3  # pixels around a face that go with it: its jaw ends a little outside the mesh, and must not be drawn out
_FEWEST = 20  # pixels that show colours
_AROUND = np.ones((3, 3), np.uint8)


@dataclass(frozen=True, eq=False)
class _Surroundings:
    """A small picture of a head and what it rests on; all arrays are [h, w].

    `corner` float [2] and `scale` say where it lies: pixel p of it is pixel p / scale + corner of the portrait.
    `side` and `below` are eye distances from the middle of the skull and below the eyes.
    """

    corner: np.ndarray
    scale: float
    image: np.ndarray
    matte: np.ndarray
    face: np.ndarray
    side: np.ndarray
    below: np.ndarray
    chin: float
    shoulder: float

    @property
    def person(self) -> np.ndarray:
        return self.matte > _PERSON


def head_share(portrait: Portrait, frame: HeadFrame, points: np.ndarray) -> np.ndarray:
    """Return how much of the head's motion clothes leave to what is around: 1 on the head, 0 on clothes.

    Parameters
    ----------
    portrait : Portrait
    frame : HeadFrame
    points : float [N, 2]
        Pixels.

    Returns
    -------
    float [N]
        1 everywhere if no clothes are seen.
    """
    around = _surroundings(portrait, frame)
    clothes, head = _clothes_and_head(around)
    if not clothes.any():
        return np.ones(len(points))
    unit = around.scale * frame.unit
    to_clothes, to_head = (
        cv2.distanceTransform((~part).astype(np.uint8), cv2.DIST_L2, 5) / unit for part in (clothes, head)
    )
    between = to_clothes + to_head
    share = (to_clothes + np.maximum(0, _LEAST_BEND - between) / 2) / np.clip(between, _LEAST_BEND, _MOST_BEND)
    share = cv2.GaussianBlur(share, (0, 0), _EVEN * unit)
    return smoothstep(colours_at(share, ((points - around.corner) * around.scale)[None])[0])


def _surroundings(portrait: Portrait, frame: HeadFrame) -> _Surroundings:
    scale = min(1.0, _COARSE / frame.unit)
    reach = np.array([np.negative(_BEFORE), _AFTER]) * frame.unit
    (left, top), (right, bottom) = np.clip(np.round(frame.origin[:2] + reach).astype(int), 0, portrait.size)
    corner, size = np.array([left, top]), np.maximum(np.round(np.array([right - left, bottom - top]) * scale), 1)
    image, matte = (
        cv2.resize(whole[top:bottom, left:right], size.astype(int), interpolation=cv2.INTER_AREA)
        for whole in (portrait.image, portrait.matte)
    )
    oval = (portrait.face.vertices[list(FACE_OVAL), :2] - corner) * scale
    face = cv2.fillPoly(np.zeros(matte.shape, np.uint8), [np.round(oval).astype(np.int32)], 1) > 0
    rows, columns = np.indices(matte.shape)
    points = np.column_stack([columns.ravel(), rows.ravel()]) / scale + corner
    side, below, chin, shoulder = along_neck(portrait, frame, points)
    side, below = side.reshape(matte.shape), below.reshape(matte.shape)
    calm = cv2.medianBlur(image, 3)  # noise and weave look like other colours
    return _Surroundings(corner, scale, calm, matte, face, side, below, chin, shoulder)


def _clothes_and_head(around: _Surroundings) -> tuple[np.ndarray, np.ndarray]:
    """Return where clothes are and where the head, with its hair and all that hangs on it, bool [h, w] each."""
    colours = cv2.cvtColor(around.image.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)
    skin, hair = _like_skin(colours, around.face), _like_hair(colours, around)
    trunk = _trunk(around, skin)
    beside = (around.side < around.side[around.face].min()) | (around.side > around.side[around.face].max())
    high = around.below < around.chin - _HANGS
    seen = (around.matte > _SURE) & trunk & ~skin & ~hair
    clothes = cv2.morphologyEx(seen.astype(np.uint8), cv2.MORPH_OPEN, _AROUND) > 0
    carries = around.below > around.shoulder
    carries[-1] = True
    clothes = joined(clothes, carries)
    hangs = hair & (high | beside) | around.person & ~trunk & high
    face = cv2.dilate(around.face.astype(np.uint8), _AROUND, iterations=_EDGE) > 0
    return clothes, face | hangs & ~clothes


def _trunk(around: _Surroundings, skin: np.ndarray) -> np.ndarray:
    """Cut the trunk off the head where the picture shows an edge, bool [h, w] (`cv2.grabCut`, Rother et al. 2004)."""
    neck = (around.below < around.chin + _NECK) & (np.abs(around.side) < _HALF_NECK)
    labels = np.full(skin.shape, cv2.GC_PR_BGD, np.uint8)  # background is what is no head
    labels[around.below > around.shoulder + _TRUNK] = cv2.GC_BGD
    labels[neck | (around.below < around.chin - _HANGS) | skin & (around.below > around.chin)] = cv2.GC_PR_FGD
    labels[around.face | (around.below < _ALL_HEAD)] = cv2.GC_FGD
    labels[~around.person] = cv2.GC_BGD
    apart = labels % 2 == 0  # GC_BGD and GC_PR_BGD
    if min(apart.sum(), (~apart).sum()) < _FEWEST:
        return np.zeros_like(skin)
    cv2.setRNGSeed(0)  # it guesses at first: the same picture must give the same frames
    cv2.grabCut(around.image, labels, None, np.zeros((1, 65)), np.zeros((1, 65)), _ROUNDS, cv2.GC_INIT_WITH_MASK)
    return around.person & (labels % 2 == 0)


def _like_skin(colours: np.ndarray, face: np.ndarray) -> np.ndarray:
    skin = colours[cv2.erode(face.astype(np.uint8), _AROUND) > 0]
    stray = (np.abs(skin - np.median(skin, axis=0)) * (0.5, 1, 1)).sum(axis=1)
    skin = skin[stray <= np.quantile(stray, _BARE)]
    weight = _PALE / np.clip(np.median(np.hypot(skin[:, 1], skin[:, 2])), _PALEST, _PALE)
    return _nearest(colours, skin, weight, _SHADED) < _UNLIKE


def _like_hair(colours: np.ndarray, around: _Surroundings) -> np.ndarray:
    """Return what has the colours of hair or hat and is joined to them, bool [h, w]."""
    above = around.person & ~around.face & (around.below < _ALL_HEAD)
    sure = cv2.erode(above.astype(np.uint8), _AROUND) > 0
    if sure.sum() < _FEWEST:
        return np.zeros_like(sure)
    hair = around.person & ~around.face & (_nearest(colours, colours[sure], 1, 1) < _UNLIKE)
    return joined(cv2.morphologyEx(hair.astype(np.uint8), cv2.MORPH_OPEN, _AROUND) > 0, above)


def _nearest(colours: np.ndarray, like: np.ndarray, chroma: float, darker: float) -> np.ndarray:
    """Return how far colours [h, w, 3] are from the nearest shade of some others [N, 3], float [h, w] CIELAB units."""
    by_lightness = like[np.argsort(like[:, 0], kind="stable")]
    shades = np.stack([part.mean(axis=0) for part in np.array_split(by_lightness, _SHADES)])
    away = colours[:, :, None] - shades  # [h, w, shades, 3]
    away[..., 0] *= np.where(away[..., 0] < 0, darker, 1)
    away[..., 1:] *= chroma
    return np.sqrt((away**2).sum(axis=-1).min(axis=-1))
