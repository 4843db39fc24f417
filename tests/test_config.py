import pytest

from animate.config import RenderConfig, load_config
from animate.errors import ConfigError
from animate.resources import shipped


def test_flags_win_over_presets_and_presets_over_defaults(tmp_path):
    preset = tmp_path / "mine.yaml"
    preset.write_text("crf: 30\nfps: 30\n")
    config = load_config(RenderConfig, preset, {"fps": 60, "seed": None})
    assert (config.fps, config.crf, config.seed) == (60, 30, RenderConfig.seed)


def test_an_unknown_setting_names_the_nearest(tmp_path):
    preset = tmp_path / "mine.yaml"
    preset.write_text("guidence_scale: 2\n")
    with pytest.raises(ConfigError, match="'guidance_scale'"):
        load_config(RenderConfig, preset)


@pytest.mark.parametrize(
    "setting",
    [{"crf": 99}, {"seed": -1}, {"seed": "x"}, {"fps": "soon"}, {"num_inference_steps": 0}, {"encoder_preset": "warp"}],
)
def test_impossible_values_are_refused(setting):
    with pytest.raises(ConfigError):
        load_config(RenderConfig, overrides=setting)


@pytest.mark.parametrize("text", ["crf: [", "- 1\n- 2\n"])
def test_malformed_files_are_refused(tmp_path, text):
    preset = tmp_path / "mine.yaml"
    preset.write_text(text)
    with pytest.raises(ConfigError):
        load_config(RenderConfig, preset)


@pytest.mark.parametrize("name", ["draft", "film"])
def test_shipped_presets_load(name):
    assert load_config(RenderConfig, shipped("configs/render") / f"{name}.yaml") != RenderConfig()
