"""Compiled inner loops: the inverse map of a triangle mesh, openings, and blending."""

import numpy as np

from animate.renderer.compiled import compiled

SUBPIXEL = 32  # steps per pixel of a map, as cv2.remap takes it (INTER_TAB_SIZE)


@compiled
def rasterise(triangles, target, source, whole, fraction):
    """Write where each pixel of a region comes from, by drawing triangles in the given order.

    Triangles that are turned over (facing away) are left out; a later triangle covers an earlier one.

    Parameters
    ----------
    triangles : int32 [F, 3]
    target, source : float32 [N, 2]
        Where the vertices are, in pixels of the region, and where they came from, in pixels of the source.
    whole : int32 [h, w]
        Whole part of the place in the source, y * 65536 + x; overwritten where a triangle lies. It is the memory of
        the int16 [h, w, 2] that cv2.remap takes.
    fraction : uint16 [h, w]
        The rest, in steps of 1 / `SUBPIXEL`: y * SUBPIXEL + x.
    """
    height, width = fraction.shape
    for f in range(triangles.shape[0]):
        a, b, c = triangles[f, 0], triangles[f, 1], triangles[f, 2]
        ax, ay = target[a, 0], target[a, 1]
        bx, by = target[b, 0], target[b, 1]
        cx, cy = target[c, 0], target[c, 1]
        area = (bx - ax) * (cy - ay) - (cx - ax) * (by - ay)
        if area > -0.002:  # negative areas face the viewer, as in animate.topology
            continue
        y_first = max(0, int(np.ceil(min(ay, by, cy) - 0.03)))
        y_last = min(height - 1, int(np.floor(max(ay, by, cy) + 0.03)))
        if y_first > y_last or max(ax, bx, cx) < 0 or min(ax, bx, cx) > width - 1:
            continue
        # The source is an affine function of the target: s = s_a + gx * (x - ax) + gy * (y - ay).
        inverse = 1.0 / area
        ux, uy = source[b, 0] - source[a, 0], source[b, 1] - source[a, 1]
        vx, vy = source[c, 0] - source[a, 0], source[c, 1] - source[a, 1]
        gxx, gxy = (ux * (cy - ay) - vx * (by - ay)) * inverse, (vx * (bx - ax) - ux * (cx - ax)) * inverse
        gyx, gyy = (uy * (cy - ay) - vy * (by - ay)) * inverse, (vy * (bx - ax) - uy * (cx - ax)) * inverse
        step_x, step_y = np.int64(np.round(gxx * 65536)), np.int64(np.round(gyx * 65536))
        for y in range(y_first, y_last + 1):
            low, high = _crossing(np.float32(y), ax, ay, bx, by, np.float32(1e9), np.float32(-1e9))
            low, high = _crossing(np.float32(y), bx, by, cx, cy, low, high)
            low, high = _crossing(np.float32(y), cx, cy, ax, ay, low, high)
            x_first, x_last = max(0, int(np.ceil(low - 0.03))), min(width - 1, int(np.floor(high + 0.03)))
            # 16.16 fixed point, rounded to the nearest subpixel by half a step.
            sx = np.int64((source[a, 0] + gxx * (x_first - ax) + gxy * (y - ay)) * 65536) + 1024
            sy = np.int64((source[a, 1] + gyx * (x_first - ax) + gyy * (y - ay)) * 65536) + 1024
            whole_row, fraction_row = whole[y], fraction[y]
            for i in range(x_last + 1 - x_first):
                px, py = np.int32(sx + i * step_x), np.int32(sy + i * step_y)
                x = np.uint64(x_first + i)
                whole_row[x] = (py & -65536) | ((px >> 16) & 65535)
                fraction_row[x] = ((py >> 6) & 992) | ((px >> 11) & 31)


@compiled
def _crossing(y, px, py, qx, qy, low, high):
    """Widen the span low-high by where the edge p-q crosses the row y."""
    if py == qy:
        if abs(py - y) < 0.02:
            low, high = min(low, px, qx), max(high, px, qx)
    elif min(py, qy) - 0.03 <= y <= max(py, qy) + 0.03:
        x = px + min(np.float32(1), max(np.float32(0), (y - py) / (qy - py))) * (qx - px)
        low, high = min(low, x), max(high, x)
    return low, high


@compiled
def blend_over_backdrop(warped, backdrop, out):
    """Lay warped RGBA uint8 [h, w, 4] over a backdrop uint8 [h, w, 3] into `out`."""
    for y in range(out.shape[0]):
        for x in range(out.shape[1]):
            alpha = np.int32(warped[y, x, 3])
            if alpha == 255:
                for k in range(3):
                    out[y, x, k] = warped[y, x, k]
            elif alpha == 0:
                for k in range(3):
                    out[y, x, k] = backdrop[y, x, k]
            else:
                for k in range(3):
                    mixed = alpha * np.int32(warped[y, x, k]) + (255 - alpha) * np.int32(backdrop[y, x, k])
                    out[y, x, k] = (mixed + 127) // 255


@compiled
def shade(warped, top, left, gain, cell):
    """Multiply the colours of `warped` uint8 [h, w, 4], whose corner lies at `top`, `left`, by a coarse grid of gains.

    Parameters
    ----------
    gain : float32 [R, C]
        At every `cell` pixels; bilinear between.
    """
    for y in range(warped.shape[0]):
        v = (y + top) / cell
        j = min(int(v), gain.shape[0] - 2)
        fy = np.float32(v - j)
        for i in range(gain.shape[1] - 1):
            first, last = (
                max(int(np.ceil(i * cell)) - left, 0),
                min(int(np.ceil((i + 1) * cell)) - left, warped.shape[1]),
            )
            start = gain[j, i] + fy * (gain[j + 1, i] - gain[j, i])
            slope = (gain[j, i + 1] + fy * (gain[j + 1, i + 1] - gain[j, i + 1]) - start) / np.float32(cell)
            if first >= last or (abs(start - 1) < 1e-5 and abs(slope) * cell < 1e-5):
                continue
            start += slope * np.float32(first + left - i * cell)
            for x in range(first, last):
                g = np.int32((start + slope * np.float32(x - first)) * 4096)
                for k in range(3):
                    warped[y, x, k] = min(255, (g * np.int32(warped[y, x, k]) + 2048) >> 12)


@compiled
def opening_coverage(left, top, shape, start, axis, step, upper, lower, inset, softness):
    """Return how far each pixel lies inside an opening between two edges.

    Parameters
    ----------
    left, top : int
        Corner of the region, pixels; `shape` is its height and width.
    start : float [2]
        Where the opening begins; `axis` float [2] is the unit vector along it.
    step : float
        Spacing of the samples of the edges along the axis, pixels.
    upper, lower : float [M]
        Height of the edges over the axis at each sample, pixels, positive downwards.
    inset, softness : float
        Pixels from the edge at which the coverage begins to rise, and over which it rises to one.

    Returns
    -------
    coverage : float32 [h, w]
        0 outside to 1 inside.
    below_upper, above_lower : float32 [h, w]
        Distance from either edge, pixels.
    """
    height, width = shape
    coverage = np.zeros((height, width), np.float32)
    below_upper = np.zeros((height, width), np.float32)
    above_lower = np.zeros((height, width), np.float32)
    last = upper.shape[0] - 1
    for y in range(height):
        for x in range(width):
            dx, dy = x + left - start[0], y + top - start[1]
            s = (dx * axis[0] + dy * axis[1]) / step
            if s <= 0 or s >= last:
                continue
            i = int(s)
            f = s - i
            t = dy * axis[0] - dx * axis[1]
            rise, fall = upper[i + 1] - upper[i], lower[i + 1] - lower[i]
            above, below = t - (upper[i] + rise * f), lower[i] + fall * f - t
            if above <= inset or below <= inset:
                continue
            below_upper[y, x], above_lower[y, x] = above, below
            # Where an edge is steep it is nearer than straight up or down.
            above, below = (above - inset) / np.hypot(1.0, rise / step), (below - inset) / np.hypot(1.0, fall / step)
            ends = min(s, last - s) * step
            coverage[y, x] = min(1.0, above / softness) * min(1.0, below / softness) * min(1.0, ends / softness)
    return coverage, below_upper, above_lower


@compiled
def blend_into(frame, left, top, layer, coverage):
    """Lay `layer` float32 or uint8 [h, w, 3] over a region of `frame` uint8 by `coverage` float32 [h, w]."""
    for y in range(coverage.shape[0]):
        for x in range(coverage.shape[1]):
            c = coverage[y, x]
            if c > 0:
                for k in range(3):
                    old = np.float32(frame[top + y, left + x, k])
                    frame[top + y, left + x, k] = np.uint8(old + c * (np.float32(layer[y, x, k]) - old) + 0.5)


@compiled
def lay_texture(layer, texture, to_texture, bend, share):
    """Lay a texture uint8 [H, W, 4] RGBA over `layer` float32 [h, w, 3], in place.

    Parameters
    ----------
    to_texture : float64 [2, 3]
        From pixels of the layer to pixels of the texture, as if that were flat.
    bend : float64 [2]
        How far, in its own pixels, the texture is shifted one half of its width from its middle, for it stands on an
        arch; the shift grows with the square of the distance.
    share : float
        Of its alpha.
    """
    height, width = texture.shape[:2]
    half = width / 2
    for y in range(layer.shape[0]):
        for x in range(layer.shape[1]):
            across = to_texture[0, 0] * x + to_texture[0, 1] * y + to_texture[0, 2] - half
            # across = u + bend * (u / half) ** 2, solved for the place u on the arch that faces the viewer.
            root = 1 + 4 * bend[0] * across / half**2
            if root <= 0:
                continue
            u = 2 * across / (1 + np.sqrt(root))
            sx = u + half
            sy = to_texture[1, 0] * x + to_texture[1, 1] * y + to_texture[1, 2] - bend[1] * (u / half) ** 2
            if sx < 0 or sy < 0 or sx >= width - 1 or sy >= height - 1:
                continue
            i, j = int(sx), int(sy)
            fx, fy = np.float32(sx - i), np.float32(sy - j)
            w00, w01, w10, w11 = (1 - fx) * (1 - fy), fx * (1 - fy), (1 - fx) * fy, fx * fy
            alpha = (
                w00 * texture[j, i, 3] + w01 * texture[j, i + 1, 3]
                + w10 * texture[j + 1, i, 3] + w11 * texture[j + 1, i + 1, 3]
            ) * np.float32(share / 255)  # fmt: skip
            if alpha <= 0:
                continue
            for k in range(3):
                colour = (
                    w00 * texture[j, i, k] + w01 * texture[j, i + 1, k]
                    + w10 * texture[j + 1, i, k] + w11 * texture[j + 1, i + 1, k]
                )  # fmt: skip
                layer[y, x, k] += alpha * (colour - layer[y, x, k])
