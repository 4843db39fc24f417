"""Compiled strokes along a line: shade where lips meet, soft edges, and folds."""

import numpy as np

from animate.renderer.compiled import compiled


@compiled
def darken_along(frame, start, axis, heights, width, strength):
    """Draw a soft dark line, tapering to its ends, into `frame` uint8 [H, W, 3].

    Parameters
    ----------
    start, axis : float [2]
        Where the line begins, pixels, and the unit vector along which `heights` float [M] gives its height (positive
        downwards) once per pixel.
    width : float
        Pixels from the middle of the line to 37 % of its strength.
    strength : float [M]
        Share of the light that the middle of the line takes away at each sample.
    """
    last = heights.shape[0] - 1
    reach = 2.5 * width
    end = start + axis * last
    low, high = heights.min() - reach, heights.max() + reach
    y_first = int(max(0.0, min(start[1], end[1]) + low - abs(axis[1]) * reach))
    y_last = int(min(frame.shape[0] - 1.0, max(start[1], end[1]) + high + reach))
    x_first = int(max(0.0, min(start[0], end[0]) - abs(axis[1]) * (high - low)))
    x_last = int(min(frame.shape[1] - 1.0, max(start[0], end[0]) + abs(axis[1]) * (high - low)))
    for y in range(y_first, y_last + 1):
        for x in range(x_first, x_last + 1):
            dx, dy = x - start[0], y - start[1]
            s = dx * axis[0] + dy * axis[1]
            if s <= 0 or s >= last:
                continue
            i = int(s)
            t = dy * axis[0] - dx * axis[1] - (heights[i] + (heights[i + 1] - heights[i]) * (s - i))
            if abs(t) < reach:
                u = 2 * s / last - 1
                light = 1 - strength[i] * (1 - u * u * u * u) * np.exp(-(t * t) / (width * width))
                for k in range(3):
                    frame[y, x, k] = np.uint8(frame[y, x, k] * light + 0.5)


@compiled
def soften_along(frame, start, axis, heights, width, strength):
    """Blur `frame` uint8 [H, W, 3] across a line, as `darken_along` draws it, so that a cut becomes an edge."""
    last = heights.shape[0] - 1
    end = start + axis * last
    low, high = heights.min() - width, heights.max() + width
    y_first = max(1, int(min(start[1], end[1]) + low - abs(axis[1]) * width))
    y_last = min(frame.shape[0] - 2, int(max(start[1], end[1]) + high + width))
    x_first = max(0, int(min(start[0], end[0]) - abs(axis[1]) * (high - low)))
    x_last = min(frame.shape[1] - 1, int(max(start[0], end[0]) + abs(axis[1]) * (high - low)))
    above = np.zeros(3, np.float64)
    for x in range(x_first, x_last + 1):
        for k in range(3):
            above[k] = frame[max(y_first - 1, 0), x, k]
        for y in range(y_first, y_last + 1):
            dx, dy = x - start[0], y - start[1]
            s = dx * axis[0] + dy * axis[1]
            share = 0.0
            if 0 < s < last:
                i = int(s)
                t = dy * axis[0] - dx * axis[1] - (heights[i] + (heights[i + 1] - heights[i]) * (s - i))
                share = strength * max(0.0, 1 - abs(t) / width)
            for k in range(3):
                here = float(frame[y, x, k])
                if share > 0:
                    blurred = (above[k] + 2 * here + frame[y + 1, x, k]) / 4
                    frame[y, x, k] = np.uint8(here + share * (blurred - here) + 0.5)
                above[k] = here


@compiled
def crease_along(frame, start, axis, heights, width, strength):
    """Draw a soft fold, fading to its ends, into `frame` uint8 [H, W, 3]; the parameters are those of `darken_along`.

    It deepens the colour of what it darkens, as skin does; grey stays grey. `strength` is one float for the whole fold.
    """
    last = heights.shape[0] - 1
    reach = 2.2 * width
    end = start + axis * last
    low, high = heights.min() - reach, heights.max() + reach
    y_first = int(max(0.0, min(start[1], end[1]) + min(low * axis[0], high * axis[0])))
    y_last = int(min(frame.shape[0] - 1.0, max(start[1], end[1]) + max(low * axis[0], high * axis[0])))
    x_first = int(max(0.0, min(start[0], end[0]) + min(-low * axis[1], -high * axis[1])))
    x_last = int(min(frame.shape[1] - 1.0, max(start[0], end[0]) + max(-low * axis[1], -high * axis[1])))
    for y in range(y_first, y_last + 1):
        for x in range(x_first, x_last + 1):
            dx, dy = x - start[0], y - start[1]
            s = dx * axis[0] + dy * axis[1]
            if s <= 0 or s >= last:
                continue
            i = int(s)
            t = dy * axis[0] - dx * axis[1] - (heights[i] + (heights[i + 1] - heights[i]) * (s - i))
            if abs(t) < reach:
                u = 2 * s / last - 1
                depth = strength * (1 - u * u) * np.exp(-(t * t) / (width * width))
                most = max(1.0, float(max(frame[y, x, 0], frame[y, x, 1], frame[y, x, 2])))
                for k in range(3):
                    frame[y, x, k] = np.uint8(frame[y, x, k] * (1 - depth * (2.45 - 2 * frame[y, x, k] / most)) + 0.5)
