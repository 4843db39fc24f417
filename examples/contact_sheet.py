"""Lay frames of a video out on one sheet, each above its moment of the voice.

    python examples/contact_sheet.py hello.mp4 sheet.png --columns 6 --rows 3 --crop 140 0 180 200

Every row shows frames evenly spread over its share of the video, over the waveform of that share; a red line marks
each frame.
"""

import argparse
from dataclasses import replace
from itertools import islice

import cv2
import numpy as np

from animate.errors import VoiceError
from animate.media import read_frames, read_voice

TILE, WAVE = 240, 60  # width of a frame and height of the waveform, in pixels


def contact_sheet(
    path: str, columns: int, rows: int, start_s: float, end_s: float | None, crop: list[int] | None
) -> np.ndarray:
    """Return the sheet as uint8 [H, W, 3] RGB; `crop` is left, top, width and height in pixels."""
    info = cv2.VideoCapture(path)
    fps, total = info.get(cv2.CAP_PROP_FPS), int(info.get(cv2.CAP_PROP_FRAME_COUNT))
    first, last = round(start_s * fps), min(total, round(end_s * fps)) if end_s else total
    chosen = np.linspace(first, last - 1, rows * columns).astype(int)
    wanted = set(chosen.tolist())
    left, top, width, height = crop or (0, 0, None, None)
    window = np.s_[top : height and top + height, left : width and left + width]
    tiles = {
        number: resized(frame[window])
        for number, frame in enumerate(islice(read_frames(path), last))
        if number in wanted
    }
    wave = waveform(path)
    strips = []
    for row in chosen.reshape(rows, columns):
        strips.append(np.hstack([tiles[number] for number in row]))
        strips.append(draw_wave(wave, row / fps, TILE * columns))
    return np.vstack(strips)


def resized(frame: np.ndarray) -> np.ndarray:
    height, width = frame.shape[:2]
    interpolation = cv2.INTER_AREA if width > TILE else cv2.INTER_CUBIC
    return cv2.resize(frame, (TILE, round(TILE * height / width)), interpolation=interpolation)


def waveform(path: str):
    try:
        voice = read_voice(path)
    except VoiceError:  # a video without sound
        return None
    return replace(voice, samples=voice.samples / max(1e-6, np.abs(voice.samples).max()))


def draw_wave(voice, times_s: np.ndarray, width: int) -> np.ndarray:
    strip = np.full((WAVE, width, 3), 24, np.uint8)
    step = (times_s[-1] - times_s[0]) / max(1, len(times_s) - 1)
    begin, end = times_s[0] - step / 2, times_s[-1] + step / 2
    if voice is not None:
        edges = np.linspace(begin, end, width + 1) * voice.sample_rate
        for x, (a, b) in enumerate(zip(edges[:-1].astype(int), edges[1:].astype(int))):
            loudest = np.abs(voice.samples[max(a, 0) : max(b, 0)]).max(initial=0)
            cv2.line(strip, (x, int(WAVE / 2 * (1 - loudest))), (x, int(WAVE / 2 * (1 + loudest))), (90, 180, 120))
    for time in times_s:
        x = int((time - begin) / (end - begin) * width)
        cv2.line(strip, (x, 0), (x, WAVE), (230, 60, 60))
        cv2.putText(strip, f"{time:.2f} s", (x + 4, 12), cv2.FONT_HERSHEY_SIMPLEX, 0.4, (230, 230, 230), 1, cv2.LINE_AA)
    return strip


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("video")
    parser.add_argument("sheet", help="PNG or JPEG to write")
    parser.add_argument("--columns", type=int, default=6)
    parser.add_argument("--rows", type=int, default=3)
    parser.add_argument("--start", type=float, default=0.0, help="seconds")
    parser.add_argument("--end", type=float, help="seconds")
    parser.add_argument("--crop", type=int, nargs=4, metavar=("LEFT", "TOP", "WIDTH", "HEIGHT"), help="pixels")
    options = parser.parse_args()
    sheet = contact_sheet(options.video, options.columns, options.rows, options.start, options.end, options.crop)
    cv2.imwrite(options.sheet, cv2.cvtColor(sheet, cv2.COLOR_RGB2BGR))
