"""What can be measured on the mesh alone: triangles that fold, and pixels that no triangle covers."""

import numpy as np

from animate.evaluate.figures import Figure
from animate.renderer.controls import controls_from_row
from animate.renderer.raster import rasterise

_VISIBLE = 2e-4  # square eye distances; a smaller triangle is a sliver in the portrait itself
_COARSE = 60.0  # pixels per eye distance on the raster that shows holes


def folds_and_holes(renderer, unit: float, rows: np.ndarray) -> list[Figure]:
    """Count folded triangles and uncovered pixels over many rows.

    A triangle is folded if the expression alone turns it over; one that a turning head hides behind the cheek is not,
    and neither are the lids, which close by lapping over each other, and the strips that join the lips.

    Parameters
    ----------
    renderer : MeshRenderer
    unit : float
        Eye distance, pixels.
    rows : float32 [R, 58]
    """
    mesh, rig = renderer.mesh, renderer.rig
    lids = np.concatenate([np.concatenate(mesh.openings[eye]) for eye in ("eyeRight", "eyeLeft")])
    seams = np.concatenate([lids, mesh.between_lips])
    size = _areas(mesh.rest, mesh.triangles) / unit**2
    counted = (size > _VISIBLE) & ~np.isin(mesh.triangles, seams).any(axis=1)
    scale = _COARSE / unit
    left, top, right, bottom = mesh.region
    shape = int((bottom - 1 - top) * scale), int((right - 1 - left) * scale)
    folded, holes = [], []
    for row in rows:
        turned_over = _areas(rig.shape(controls_from_row(row)), mesh.triangles) < -1e-6 * unit**2
        folded.append(int((turned_over & counted).sum()))
        whole, fraction = np.full(shape, -1, np.int32), np.zeros(shape, np.uint16)
        target = ((renderer.vertices(row) - (left, top)) * scale).astype(np.float32)
        rasterise(mesh.triangles, target, mesh.source, whole, fraction)
        holes.append(int((whole[1:-1, 1:-1] == -1).sum()))
    return [
        Figure("folded triangles", float(np.mean(folded)), "a row", 0, note=f"worst {max(folded)} of {counted.sum()}"),
        Figure("uncovered pixels", float(np.mean(holes)), "a row", 0, note=f"worst {max(holes)} of {np.prod(shape)}"),
    ]


def _areas(vertices: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    """Return the areas float [F] of triangles in the picture, positive where they face the viewer."""
    a, b, c = vertices[triangles].transpose(1, 0, 2)[..., :2]
    return -np.cross(b - a, c - a) / 2
