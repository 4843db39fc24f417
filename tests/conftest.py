"""Fixtures: the example, and the test material that may lie beside the checkout."""

import os
from pathlib import Path

import pytest

SHARED = Path(__file__).resolve().parents[2] / "shared"


@pytest.fixture(scope="session", autouse=True)
def home_of_the_tests(tmp_path_factory):
    """Keys and record of the tests, instead of the user's own; commands in other processes inherit it."""
    os.environ["ANIMATE_HOME"] = str(tmp_path_factory.mktemp("home"))


@pytest.fixture
def shared() -> Path:
    """The folder of test material beside the checkout; the test is skipped where it is absent."""
    if not SHARED.is_dir():
        pytest.skip("the test material (../shared) is not beside this checkout")
    return SHARED


@pytest.fixture(scope="session")
def astronaut():
    """The example portrait, read once."""
    from animate.example import example_portrait

    return example_portrait()


@pytest.fixture(scope="session")
def voice():
    """The example voice."""
    from animate.example import example_voice
    from animate.media import read_voice

    return read_voice(example_voice())


@pytest.fixture(scope="session")
def animator():
    """The shipped motion model, loaded once."""
    from animate.pipeline import Animator

    return Animator.from_pretrained()
