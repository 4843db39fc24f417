"""The warp on torch, for CUDA: the same maths as `raster` and `cv2.remap`, with every pixel at once."""

from __future__ import annotations

import numpy as np
import torch

from animate.errors import DependencyError
from animate.renderer.raster import SUBPIXEL

_EDGE = 0.03  # pixels by which triangles lap over their edges, as in `raster.rasterise`
_LEAST_AREA = 0.002  # square pixels, twice the triangle


class TorchWarp:
    """Draws the moving window of a portrait on a torch device.

    Parameters
    ----------
    moving, backdrop, triangles, source, overhead
        As for `warp.CompiledWarp`.
    device : str
        As torch names it.

    Raises
    ------
    DependencyError
        If torch has no such device.
    """

    def __init__(
        self,
        moving: np.ndarray,
        backdrop: np.ndarray | None,
        triangles,
        source,
        device: str = "cuda",
        overhead: int = 0,
    ):
        try:
            self.device = torch.zeros(1, device=device).device
        except (RuntimeError, AssertionError) as error:
            raise DependencyError(f"torch cannot use the device {device!r} ({error}). Use 'cpu'.") from None
        self._moving = torch.from_numpy(np.ascontiguousarray(moving)).to(self.device)
        self._size = moving.shape[0] // 2 - overhead, moving.shape[1] // 2
        self._corner = torch.tensor([0, 2 * overhead], device=self.device)
        self._backdrop = backdrop
        if backdrop is not None:
            self._backdrop = torch.from_numpy(np.ascontiguousarray(backdrop)).to(self.device).int()
        self._triangles = torch.from_numpy(np.ascontiguousarray(triangles)).to(self.device).long()
        self.bands = [tuple(slice(0, side) for side in self._size)]
        self._source = torch.from_numpy(np.ascontiguousarray(source)).to(self.device).double()

    def draw(
        self,
        out: np.ndarray,
        vertices: np.ndarray,
        gain: np.ndarray | None = None,
        cell: float = 1.0,
        matte: np.ndarray | None = None,
        backdrop: np.ndarray | None = None,
    ) -> None:
        """Draw the mesh at `vertices` into `out`, in place; the parameters are those of `warp.CompiledWarp.draw`."""
        place = self._places(torch.from_numpy(vertices).to(self.device).double())
        warped = self._sample(place)  # [h, w, 4]
        if gain is not None:
            shade = self._spread(torch.from_numpy(gain).to(self.device), cell)
            colours = ((shade[..., None] * 4096).int() * warped[..., :3] + 2048) >> 12
            warped = torch.cat([colours.clamp(0, 255), warped[..., 3:]], dim=-1)
        if self._backdrop is None:
            drawn = warped.to(torch.uint8).cpu().numpy()
            out[:], matte[:] = drawn[..., :3], drawn[..., 3]
            return
        alpha = warped[..., 3:]
        behind = self._backdrop if backdrop is None else torch.from_numpy(backdrop.copy()).to(self.device).int()
        mixed = (alpha * warped[..., :3] + (255 - alpha) * behind + 127) // 255
        out[:] = mixed.to(torch.uint8).cpu().numpy()

    def _places(self, target: torch.Tensor) -> torch.Tensor:
        """Return where each pixel comes from, int64 [h, w, 2] in steps of 1 / `SUBPIXEL` of the source."""
        height, width = self._size
        a, b, c = (target[self._triangles[:, corner]] for corner in range(3))  # [F, 2] each
        area = (b - a)[:, 0] * (c - a)[:, 1] - (c - a)[:, 0] * (b - a)[:, 1]
        low = torch.ceil(torch.minimum(torch.minimum(a, b), c) - _EDGE).clamp(min=0).long()
        size = torch.tensor([width - 1, height - 1], device=self.device)
        high = torch.minimum(torch.floor(torch.maximum(torch.maximum(a, b), c) + _EDGE).long(), size)
        extent = (high - low + 1).clamp(min=0)
        count = torch.where(area > -_LEAST_AREA, 0, extent[:, 0] * extent[:, 1])  # turned over: not drawn
        # Every pixel of the box around every triangle, in one list.
        which = torch.repeat_interleave(torch.arange(len(count), device=self.device), count)
        inside_box = torch.arange(len(which), device=self.device) - (count.cumsum(0) - count)[which]
        x = low[which, 0] + inside_box % extent[which, 0]
        y = low[which, 1] + inside_box // extent[which, 0]
        pixel = torch.stack([x, y], dim=1).double()
        inside = torch.ones(len(which), dtype=torch.bool, device=self.device)
        for start, end in ((a, b), (b, c), (c, a)):
            along = end - start
            offset = pixel - start[which]
            beyond = along[which, 0] * offset[:, 1] - along[which, 1] * offset[:, 0]
            inside &= beyond <= _EDGE * along.abs().sum(dim=1)[which]
        top = torch.full((height * width,), -1, dtype=torch.long, device=self.device)
        top.scatter_reduce_(0, (y * width + x)[inside], which[inside], "amax")  # the last one drawn is seen
        return self._from_triangles(top, a, b, c, area).reshape(height, width, 2)

    def _from_triangles(self, top: torch.Tensor, a, b, c, area) -> torch.Tensor:
        """Return the source of each pixel, int64 [P, 2], by the triangle `top` [P] that is seen there (-1: none)."""
        width = self._size[1]
        number = torch.arange(len(top), device=self.device)
        pixel = torch.stack([number % width, number // width], dim=1).double()
        u, v = (self._source[self._triangles[:, k]] - self._source[self._triangles[:, 0]] for k in (1, 2))
        inverse = (1 / area)[:, None]
        by_x = (u * (c - a)[:, 1:] - v * (b - a)[:, 1:]) * inverse
        by_y = (v * (b - a)[:, :1] - u * (c - a)[:, :1]) * inverse
        seen = top.clamp(min=0)
        offset = pixel - a[seen]
        source = self._source[self._triangles[seen, 0]] + by_x[seen] * offset[:, :1] + by_y[seen] * offset[:, 1:]
        source = torch.where((top < 0)[:, None], 2 * pixel + self._corner, source)
        return torch.floor(source * SUBPIXEL + 0.5).long()

    def _sample(self, place: torch.Tensor) -> torch.Tensor:
        """Return bilinear samples of the source, int32 [h, w, 4], its edge repeated beyond it."""
        last_y, last_x = (side - 1 for side in self._moving.shape[:2])
        whole, part = place // SUBPIXEL, (place % SUBPIXEL).int()
        x0, x1 = (whole[..., 0] + step for step in (0, 1))
        y0, y1 = (whole[..., 1] + step for step in (0, 1))
        fx, fy = part[..., :1], part[..., 1:]
        corners = [
            (wy * wx, self._moving[y.clamp(0, last_y), x.clamp(0, last_x)].int())
            for y, wy in ((y0, SUBPIXEL - fy), (y1, fy))
            for x, wx in ((x0, SUBPIXEL - fx), (x1, fx))
        ]
        total = sum(weight * colour for weight, colour in corners)
        return (total + SUBPIXEL * SUBPIXEL // 2) // (SUBPIXEL * SUBPIXEL)

    def _spread(self, gain: torch.Tensor, cell: float) -> torch.Tensor:
        """Return a coarse grid of gains at every pixel, float32 [h, w]."""
        height, width = self._size
        v, u = (torch.arange(side, device=self.device, dtype=torch.float32) / cell for side in (height, width))
        j, i = (p.long().clamp(max=side - 2) for p, side in ((v, gain.shape[0]), (u, gain.shape[1])))
        fy, fx = (v - j)[:, None], (u - i)[None]
        upper = gain[j][:, i] * (1 - fx) + gain[j][:, i + 1] * fx
        lower = gain[j + 1][:, i] * (1 - fx) + gain[j + 1][:, i + 1] * fx
        return upper * (1 - fy) + lower * fy
