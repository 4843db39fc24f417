"""Plots of motions."""

import sys

import numpy as np
import pytest
from PIL import Image

from animate.errors import DependencyError, MediaError
from animate.plot import plot_motion
from animate.types import Motion, Speech

pytest.importorskip("matplotlib")


def test_a_plot_with_a_voice_is_taller_and_shows_the_curves(tmp_path):
    speech = Speech(np.sin(np.arange(16000) / 10).astype(np.float32), 16000)
    still = Motion.rest(1.0, 50)
    moving = still.with_channels(jawOpen=np.abs(np.sin(np.arange(50) / 5)))
    plain, curved, voiced = (
        np.asarray(Image.open(plot_motion(motion, tmp_path / "p.png", voice)).convert("L"))
        for motion, voice in ((still, None), (moving, None), (moving, speech))
    )
    assert plain.shape == curved.shape and not np.array_equal(plain, curved)
    assert voiced.shape[0] > curved.shape[0] and voiced.shape[1] == curved.shape[1]


def test_other_formats_and_folders_are_refused(tmp_path):
    with pytest.raises(MediaError, match=".png"):
        plot_motion(Motion.rest(1.0, 50), tmp_path / "p.doc")
    with pytest.raises(MediaError, match="could not be written"):
        plot_motion(Motion.rest(1.0, 50), tmp_path / "missing" / "p.png")


def test_a_missing_matplotlib_names_the_extra(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(DependencyError, match=r"\[plot\]"):
        plot_motion(Motion.rest(1.0, 50), tmp_path / "p.png")
