"""The warp, compiled: the moving window of a portrait, band by band, on as many threads as there are cores."""

import os
import threading
from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np

from animate.renderer.raster import blend_over_backdrop, rasterise, shade


class CompiledWarp:
    """Draws the moving window of a portrait on the CPU; `torch_warp.TorchWarp` is its twin.

    Parameters
    ----------
    moving : uint8 [2 h, 2 w, 4]
        RGBA, doubled as `sampling.double` does it: bilinear samples of a doubled picture are as sharp as bicubic ones
        of the picture, and four times as fast.
    backdrop : uint8 [h, w, 3] or None
        What shows where alpha is 0; None to draw the colours alone, and alpha into a matte.
    triangles : int32 [F, 3]
        In drawing order.
    source : float32 [N, 2]
        Where the vertices come from, in pixels of `moving`.
    bands : list of (slice, slice)
        Rows and columns outside of which nothing changes.
    overhead : int
        Rows of the picture that `moving` holds above the window.
    """

    def __init__(
        self,
        moving: np.ndarray,
        backdrop: np.ndarray | None,
        triangles: np.ndarray,
        source: np.ndarray,
        bands,
        overhead: int = 0,
    ):
        self.moving, self.backdrop, self.triangles, self.source = moving, backdrop, triangles, source
        self.bands = bands
        x, y = np.meshgrid(np.arange(moving.shape[1] // 2), np.arange(overhead, moving.shape[0] // 2))
        self._still = np.stack([2 * x, 2 * y], axis=-1).astype(np.int16)
        self._threads = ThreadPoolExecutor(min(8, os.cpu_count() or 1))
        self._own = threading.local()

    def draw(
        self,
        out: np.ndarray,
        vertices: np.ndarray,
        gain: np.ndarray | None = None,
        cell: float = 1.0,
        matte: np.ndarray | None = None,
        backdrop: np.ndarray | None = None,
    ) -> None:
        """Draw the mesh at `vertices` into `out`, in place.

        Parameters
        ----------
        out : uint8 [h, w, 3]
        vertices : float32 [N, 2]
            In pixels of the window.
        gain, cell
            Light, as `raster.shade` takes it; None leaves it as it is in the picture.
        matte : uint8 [h, w], optional
            Gets alpha, in place, if there is no backdrop.
        backdrop : uint8 [h, w, 3], optional
            What is behind, in place of the still backdrop; it may be `out` itself.
        """
        backdrop = self.backdrop if backdrop is None else backdrop

        def draw_band(band: tuple[slice, slice]) -> None:
            self._draw_band(band, out, vertices, gain, cell, matte, backdrop)

        list(self._threads.map(draw_band, self.bands))

    def _draw_band(
        self, band: tuple[slice, slice], out, vertices: np.ndarray, gain, cell: float, matte, backdrop
    ) -> None:
        still = self._still[band]
        whole, fraction, warped = self._memory(*still.shape[:2])
        whole[:], fraction[:] = still, 0
        corner = np.array([band[1].start, band[0].start], np.float32)
        rasterise(self.triangles, vertices - corner, self.source, whole.view(np.int32)[..., 0], fraction)
        cv2.remap(self.moving, whole, fraction, cv2.INTER_LINEAR, warped, borderMode=cv2.BORDER_REPLICATE)
        if gain is not None:
            shade(warped, band[0].start, band[1].start, gain, cell)
        if backdrop is None:
            out[band], matte[band] = warped[..., :3], warped[..., 3]
        else:
            blend_over_backdrop(warped, backdrop[band], out[band])

    def _memory(self, height: int, width: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return this thread's int16 [h, w, 2], uint16 [h, w] and uint8 [h, w, 4]; new memory every frame is slow."""
        if not hasattr(self._own, "memory"):
            most = max(self._still[band].size // 2 for band in self.bands)
            self._own.memory = np.empty(2 * most, np.int16), np.empty(most, np.uint16), np.empty(4 * most, np.uint8)
        whole, fraction, warped = self._own.memory
        area = height * width
        return (
            whole[: 2 * area].reshape(height, width, 2),
            fraction[:area].reshape(height, width),
            warped[: 4 * area].reshape(height, width, 4),
        )
