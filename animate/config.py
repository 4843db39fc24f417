"""Settings: each default stands once, in its dataclass; a YAML preset overrides it, a flag or keyword both."""

import dataclasses
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import yaml

from animate.clock import frame_rate
from animate.errors import ConfigError, nearest

T = TypeVar("T")

X264_PRESETS = (
    "ultrafast", "superfast", "veryfast", "faster", "fast", "medium", "slow", "slower", "veryslow",
)  # fmt: skip
CODECS = "h264", "hevc", "av1"
MARK_STRENGTHS = "balanced", "strong", "discreet"
LABELS = "auto", "always"
CROPS = "full", "head", "bust", "square"
# Short sides of an output in pixels (measured: provenance/SPEC.md, 1.6).
CARRIES_MARK_PX = 256  # smaller ones lose the mark to compression: they are refused
KEEPS_MARK_PX = 448  # from here all ordinary handling leaves it: without a size of its own, an output is as large
_SIZE_RANGE = CARRIES_MARK_PX, 8192  # pixels a side

# Fields of `RenderConfig` that only the generated motion of a voice follows
VOICE_SETTINGS = (
    "num_inference_steps", "guidance_scale", "emotion_guidance_scale", "style_guidance_scale", "emotion",
    "gaze_x_deg", "gaze_y_deg",
)  # fmt: skip


@dataclass(frozen=True)
class RenderConfig:
    """How a clip is made.

    Raises
    ------
    ConfigError
        If a value is out of range.
    """

    seed: int = 0  # the same seed, inputs and versions give the same frames
    fps: float | str = 25  # 23.976, 24, 25, 29.97, 30, 50, 60 or any other rate up to 120
    num_inference_steps: int = 6  # Euler steps of the flow; more is finer and slower
    guidance_scale: float = 1.0  # above 1 exaggerates what the voice asks for
    emotion_guidance_scale: float = 1.0  # above 1 exaggerates the emotion
    style_guidance_scale: float = 1.0  # above 1 exaggerates the expressiveness
    emotion: str = "auto"  # happy:0.6, "sad:0.4,fearful:0.3", neutral; auto: as lively as the voice is aroused
    expressiveness: float = 1.0  # 0 to 2: how far mouth, brows and head move
    head_motion: float = 1.0  # 0 (still; blinks go on) to 2
    blink_rate: float = 1.0  # 0 (never) to 3
    gaze_x_deg: float = 0.0  # where the eyes rest: right of the picture
    gaze_y_deg: float = 0.0  # and up
    size: int | str = ""  # longest side in pixels, or exactly 1280x720; empty: as what is shown, at least 448 each way
    crop: str | int = "full"  # how much is shown: full, head, bust, square or an aspect such as 9:16
    alpha: bool = False  # transparent where the background was, by the portrait's matte
    codec: str = "h264"  # of mp4: h264, hevc, av1
    crf: int = 18  # quality on x264's scale, also for other codecs: 0 lossless, 18 visually clean, 51 worst
    encoder_preset: str = "veryfast"  # x264 speed against size; other codecs get the nearest
    max_mb: float = 0.0  # what a GIF may weigh; 0: no limit
    still_at_s: float = 0.0  # the moment that a .png or .jpg shows
    mark_strength: str = "balanced"  # of the invisible mark: balanced, strong (shows faintly) or discreet
    label: str = "auto"  # the visible words 'AI-generated': auto (when consent is undeclared) or always
    label_language: str = "en"  # of these words
    label_text: str = ""  # shows these words instead, such as 'animated portrait'; only where consent is declared
    label_font: str = ""  # font file for them, for languages whose letters DejaVu Sans lacks
    aigc_producer: str = ""  # who answers for the content, for the AIGC tag that China's rules ask for

    def __post_init__(self):
        frame_rate(self.fps)
        _require(isinstance(self.seed, int) and self.seed >= 0, f"seed is {self.seed}; use a whole number from 0.")
        _require(1 <= self.num_inference_steps <= 100, f"num_inference_steps is {self.num_inference_steps}; use 1-100.")
        for name in ("guidance_scale", "emotion_guidance_scale", "style_guidance_scale"):
            _require(0 <= getattr(self, name) <= 10, f"{name} is {getattr(self, name)}; use 0 to 10.")
        _require(
            self.encoder_preset in X264_PRESETS,
            f"encoder_preset is {self.encoder_preset!r}; use one of {', '.join(X264_PRESETS)}.",
        )
        for name, choices in (("codec", CODECS), ("mark_strength", MARK_STRENGTHS), ("label", LABELS)):
            value = getattr(self, name)
            _require(value in choices, f"{name} is {value!r}; use one of {', '.join(choices)}.")
        _require(0 <= self.crf <= 51, f"crf is {self.crf}; use 0 (best) to 51 (smallest).")
        _require(self.max_mb >= 0, f"max_mb is {self.max_mb}; use megabytes, or 0 for no limit.")
        _require(self.still_at_s >= 0, f"still_at_s is {self.still_at_s}; use seconds from 0.")
        wanted_aspect(self.crop, self.size)


def parse_size(size: int | str) -> int | tuple[int, int] | None:
    """Return the longest side, or width and height, in pixels; None for the size of what is shown.

    Raises
    ------
    ConfigError

    Examples
    --------
    >>> parse_size("480"), parse_size("1280x720"), parse_size("")
    (480, (1280, 720), None)
    """
    if size == "":
        return None
    sides = re.fullmatch(r"(\d+)(?:x(\d+))?", str(size))
    lengths = [int(side) for side in sides.groups() if side] if sides else [0]
    low, high = _SIZE_RANGE
    _require(
        all(low <= length <= high for length in lengths),
        f"size is {size!r}; use the longest side, such as 480, or width x height, such as 1280x720, of {low} to {high} "
        "each way. Smaller pictures lose the mark.",
    )
    return tuple(lengths) if len(lengths) == 2 else lengths[0]


def parse_crop(crop: str | int) -> tuple[str, float | None]:
    """Return how close a crop is (full, head or bust), and its width over its height if that is given.

    Raises
    ------
    ConfigError

    Examples
    --------
    >>> parse_crop("bust"), parse_crop("16:9")
    (('bust', None), ('full', 1.7777777777777777))
    """
    if isinstance(crop, int):
        crop = f"{crop // 60}:{crop % 60}"  # YAML 1.1 reads 9:16 as a number to the base 60
    if crop in CROPS:
        return ("full", 1.0) if crop == "square" else (crop, None)
    sides = re.fullmatch(r"([1-9]\d?):([1-9]\d?)", str(crop))
    _require(
        sides is not None and 0.2 <= int(sides[1]) / int(sides[2]) <= 5,
        f"crop is {crop!r}; use {', '.join(CROPS)} or an aspect such as 9:16, 16:9 or 4:5.",
    )
    return "full", int(sides[1]) / int(sides[2])


def wanted_aspect(crop: str | int, size: int | str) -> float | None:
    """Return the width over the height that crop or size ask for; None if neither does.

    Raises
    ------
    ConfigError
        If one of them makes no sense, or they differ.
    """
    aspect, sides = parse_crop(crop)[1], parse_size(size)
    if not isinstance(sides, tuple):
        return aspect
    _require(
        aspect is None or abs(aspect * sides[1] / sides[0] - 1) < 0.02,
        f"A crop of {crop} does not have the size {size}. Give one of the two.",
    )
    return sides[0] / sides[1]


def load_config(cls: type[T], path: Path | str | None = None, overrides: dict | None = None) -> T:
    """Build a config dataclass from its defaults, a YAML file and overrides, the later ones winning.

    Parameters
    ----------
    cls : dataclass type
    path : Path or str, optional
        YAML mapping of field names to values.
    overrides : dict, optional
        Field names to values; None means 'not given'.

    Raises
    ------
    ConfigError
        If a key is unknown (the message names the nearest), a value is of the wrong type or the file is not YAML.

    Examples
    --------
    >>> load_config(RenderConfig, overrides={"seed": 7}).seed
    7
    """
    values = _read_yaml(Path(path)) if path is not None else {}
    values |= {key: value for key, value in (overrides or {}).items() if value is not None}
    fields = {field.name: field for field in dataclasses.fields(cls)}
    for key in values:
        if key not in fields:
            hint = nearest(key, fields, f"The settings are: {', '.join(fields)}.")
            raise ConfigError(f"Unknown setting {key!r}{f' in {path}' if path else ''}. {hint}")
    try:
        return cls(**{key: _converted(value, fields[key]) for key, value in values.items()})
    except (TypeError, ValueError) as error:
        raise ConfigError(f"A setting has the wrong type: {error}.") from None


def _read_yaml(path: Path) -> dict:
    try:
        values = yaml.safe_load(path.read_text()) or {}
    except OSError as error:
        raise ConfigError(f"Cannot read the settings {path}: {error.strerror}.") from None
    except yaml.YAMLError as error:
        raise ConfigError(f"{path} is not valid YAML: {error}") from None
    if not isinstance(values, dict):
        raise ConfigError(f"{path} holds a {type(values).__name__}; write one 'setting: value' per line.")
    return values


def _converted(value, field: dataclasses.Field):
    """Let YAML's `1e-3` (text to PyYAML) and whole numbers stand for floats, and lists for tuples."""
    if field.type in (float, "float") and isinstance(value, (int, str)):
        return float(value)
    if isinstance(value, list):
        return tuple(value)
    if field.type in (bool, "bool") and isinstance(value, str) and value.lower() in ("true", "false"):
        return value.lower() == "true"
    if field.type in (bool, "bool") and not isinstance(value, bool):
        raise ConfigError(f"{field.name} is {value!r}; use true or false.")
    if field.type in (int, "int") and not isinstance(value, int):
        raise ConfigError(f"{field.name} is {value!r}; use a whole number.")
    return value


def _require(fine: bool, message: str) -> None:
    if not fine:
        raise ConfigError(message)
