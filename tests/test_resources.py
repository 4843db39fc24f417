import pytest

from animate import resources
from animate.errors import CheckpointError
from animate.resources import shipped


@pytest.mark.parametrize("relative", ["checkpoints/base", "configs/render", "configs/train", "examples/voice.flac"])
def test_shipped_files_are_found(relative):
    assert shipped(relative).exists()


def test_a_missing_file_is_explained():
    with pytest.raises(CheckpointError, match="checkpoints/none"):
        shipped("checkpoints/none")


def test_a_wheel_is_searched_where_there_is_no_checkout(tmp_path, monkeypatch):
    """What pip records for a wheel: paths relative to site-packages that climb to the environment's `share`."""
    from importlib.metadata import PackagePath

    installed = tmp_path / "share/animate-portrait/checkpoints/base/model_index.json"
    installed.parent.mkdir(parents=True)
    installed.touch()
    recorded = PackagePath("../../../share/animate-portrait/checkpoints/base/model_index.json")
    recorded.dist = type("Dist", (), {"locate_file": lambda self, path: tmp_path / "lib/python/site-packages" / path})()
    (tmp_path / "lib/python/site-packages").mkdir(parents=True)
    monkeypatch.setattr(resources, "__file__", str(tmp_path / "elsewhere/animate/resources.py"))
    monkeypatch.setattr(resources, "_wheel_files", lambda: [recorded])
    assert shipped("checkpoints/base") == installed.parent
    with pytest.raises(CheckpointError):
        shipped("checkpoints/other")
