"""Corpus, teacher, material and the training loop, on a corpus made for the test."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.ndimage import maximum_filter1d

from animate.errors import CheckpointError, ConfigError, DependencyError
from animate.motion import lip_gap, load_pipeline
from animate.motion.latents import LATENTS, NUM_LIP_LATENTS, to_channels
from animate.speech import FEATURES, MOTION_FPS
from animate.train import augment
from animate.train.alignment import read_textgrid
from animate.train.behaviour import behaviour_curves
from animate.train.corpus import build, plan
from animate.train.dataset import Windows, list_clips, prepare
from animate.train.kokoro import Kokoro
from animate.train.phonemes import PAUSE, Phone, pinyin_to_ipa
from animate.train.programmes import class_of_each_frame, make_programme, make_silence
from animate.train.settings import TrainConfig
from animate.train.synthesisers import HELD_OUT_VOICES, SOURCES, KokoroBlends, TimedSpeech
from animate.train.teacher import lip_curves
from animate.train.visemes import visemes_of
from animate.types import Motion

NUM_LATENTS = len(LATENTS)


def taught(*timed: tuple[str, float], lead_s: float = 0.5, tail_s: float = 0.5) -> tuple[Motion, list[Phone]]:
    """The teacher's lips for phones with lengths, between silences."""
    phones, clock = [], lead_s
    for symbol, length_s in timed:
        phones.append(Phone(symbol, clock, clock + length_s))
        clock += length_s
    count = round((clock + tail_s) * MOTION_FPS)
    controls = np.pad(lip_curves(phones, count, MOTION_FPS), ((0, 0), (0, NUM_LATENTS - NUM_LIP_LATENTS)))
    return Motion(to_channels(controls), MOTION_FPS), phones


def at(curve: np.ndarray, time_s: float) -> float:
    return float(curve[round(time_s * MOTION_FPS)])


@pytest.mark.parametrize("consonant", ["p", "b", "m"])
@pytest.mark.parametrize("vowel", ["ɑ", "i", "u"])
def test_the_teacher_seals_p_b_and_m_between_any_vowels(consonant, vowel):
    motion, phones = taught((vowel, 0.15), (consonant, 0.06), (vowel, 0.15))
    sealed = lip_gap(motion) < 0.01
    contact_s = sealed[round(0.55 * MOTION_FPS) : round(0.8 * MOTION_FPS)].sum() / MOTION_FPS
    assert 0.08 <= contact_s <= 0.2


def test_the_teacher_opens_short_vowels_between_closures():
    motion, phones = taught(("m", 0.06), ("ɑ", 0.08), ("m", 0.06))
    vowel = phones[1]
    assert at(lip_gap(motion), (vowel.start_s + vowel.end_s) / 2) > 0.05
    for closure in phones[::2]:
        within = slice(round(closure.start_s * MOTION_FPS), round(closure.end_s * MOTION_FPS) + 1)
        assert lip_gap(motion)[within].min() < 0.02


def test_the_teacher_does_not_seal_other_consonants():
    motion, phones = taught(("ɑ", 0.15), ("t", 0.07), ("ɑ", 0.15))
    assert at(lip_gap(motion), phones[1].start_s + 0.035) > 0.1


def test_the_teacher_opens_the_jaw_by_vowel_height():
    jaw = {vowel: at(taught((vowel, 0.3))[0]["jawOpen"], 0.65) for vowel in "aeium"}
    assert jaw["a"] > jaw["e"] > jaw["i"] > jaw["m"]
    assert 0.3 < jaw["a"] < 0.5


def test_rounding_begins_before_the_vowel():
    motion, phones = taught(("i", 0.2), ("s", 0.1), ("u", 0.25))
    pucker = motion["mouthPucker"]
    assert pucker.max() > 0.4
    assert at(pucker, phones[2].start_s - 0.02) > 0.25 * pucker.max()
    assert at(pucker, phones[0].start_s + 0.05) < 0.1 * pucker.max()


def test_long_pauses_close_the_lips_and_short_ones_do_not():
    for pause_s, closed in ((1.2, True), (0.3, False)):
        motion, _ = taught(("ɑ", 0.2), (PAUSE, pause_s), ("ɑ", 0.2))
        assert (at(lip_gap(motion), 0.7 + pause_s / 2) < 0.01) == closed


def test_a_sound_that_starts_at_once_opens_the_mouth_at_once():
    motion, _ = taught(("ɑ", 0.3), lead_s=0.04)
    assert at(lip_gap(motion), 0.2) > 0.2


def test_silence_teaches_rest():
    assert not lip_curves([], 100, MOTION_FPS).any()
    assert not lip_curves([Phone(PAUSE, 0.2, 1.8)], 100, MOTION_FPS).any()


def test_diphthongs_have_two_shapes_and_affricates_one():
    assert [base for _, _, base in visemes_of("aʊ")] == ["a", "ʊ"]
    assert [base for _, _, base in visemes_of("tʃ")] == ["ʃ"]
    assert pinyin_to_ipa("ma1 ma5") == "ma→ ma"


def test_behaviour_has_the_measured_blinks_and_head():
    rng = np.random.default_rng(0)
    curves = np.concatenate([behaviour_curves(3000, MOTION_FPS, np.ones(3000), rng, 1.0) for _ in range(8)])
    motion = Motion(to_channels(np.pad(curves, ((0, 0), (NUM_LIP_LATENTS, 0)))), MOTION_FPS)
    blink = motion["eyeBlinkLeft"]
    per_minute = ((blink[1:] > 0.5) & (blink[:-1] <= 0.5)).sum() / 8
    assert 15 < per_minute < 40
    assert 1.0 < motion["headYaw"].std() < 4.0
    assert not lip_gap(motion).any()


class Robot:
    """A synthesiser for tests: one buzz for each letter."""

    share_minutes = 0.1

    def __init__(self, tools, threads=1):
        pass

    def voices(self):
        return {"en-us": ["one", "rms"], "it": ["due"]}

    def speak(self, text, voice, language, speed):
        phones = [Phone("ɑm"[index % 2], 0.2 + 0.1 * index, 0.3 + 0.1 * index) for index in range(20)]
        times = np.arange(int(2.4 * 16_000)) / 16_000
        sound = sum(np.sin(2 * np.pi * 130 * k * times) / k for k in range(1, 9)) * 0.1
        sound[(times < 0.2) | (times > 2.2)] = 0
        return TimedSpeech(sound.astype(np.float32), 16_000, phones)


@pytest.fixture
def corpus(tmp_path, monkeypatch):
    monkeypatch.setitem(SOURCES, "robot", Robot)
    build(tmp_path / "corpus", "robot", 0.4)
    return tmp_path / "corpus"


def test_the_corpus_is_built_once_and_the_same_each_time(corpus):
    before = {path: path.stat().st_mtime_ns for path in corpus.rglob("*.flac")}
    build(corpus, "robot", 0.4)
    assert before == {path: path.stat().st_mtime_ns for path in corpus.rglob("*.flac")}
    voices = {"en-us": ["a", "b"], "it": ["c"]}
    first, again = ([next(plan("robot", voices, seed)) for _ in range(3)] for seed in (1, 1))
    assert first == again


def test_held_out_voices_are_never_trained_on(corpus):
    train, test = (
        {json.loads(path.read_text())["voice"] for path in list_clips(corpus, split)} for split in ("train", "test")
    )
    assert test <= HELD_OUT_VOICES
    assert train.isdisjoint(HELD_OUT_VOICES)


def test_blends_are_means_of_voices_that_are_not_held_out(tmp_path):
    rng = np.random.default_rng(0)
    styles = {name: rng.random((510, 256), np.float32) for name in ("af_heart", "am_adam", "bf_emma")}
    for name, style in styles.items():
        style.tofile(tmp_path / f"{name}.bin")
    blends, blends.model = object.__new__(KokoroBlends), object.__new__(Kokoro)  # without the weights
    blends.model.voices_folder = tmp_path
    voices = blends.voices()
    assert voices == blends.voices()
    assert {frozenset(voice.split("+")) for voice in voices["zh"]} == {frozenset(("af_heart", "am_adam"))}
    mean = (styles["af_heart"][9] + styles["am_adam"][9]) / 2
    np.testing.assert_allclose(blends.model.style("am_adam+af_heart", 9), mean[None], rtol=1e-6)


def test_unknown_sources_and_missing_tools_are_named(tmp_path, monkeypatch):
    with pytest.raises(ConfigError, match="flute"):
        build(tmp_path, "flute", 1)
    monkeypatch.setenv("PATH", "")
    with pytest.raises(DependencyError, match="apt install flite"):
        build(tmp_path, "flite", 1)


def test_an_empty_corpus_names_the_command(tmp_path):
    with pytest.raises(ConfigError, match="animate.train.corpus"):
        list_clips(tmp_path, "train")


def test_programmes_keep_sound_and_phones_together(corpus):
    programme = make_programme(list_clips(corpus, "train")[:1], np.random.default_rng(3))
    assert len(programme.features) == len(programme.controls) == len(programme.emotion)
    spoken = class_of_each_frame(programme) > 0
    quiet = ~maximum_filter1d(spoken, 31)
    gap = lip_gap(Motion(to_channels(programme.controls), MOTION_FPS))
    energy = programme.features[:, FEATURES.index("energy")]
    assert gap[spoken].max() > 0.2 and gap[quiet].max() < 0.01
    assert energy[spoken].mean() > energy[quiet].mean() + 0.2


def test_material_without_a_voice_teaches_closed_lips():
    programme = make_silence(np.random.default_rng(2))
    assert not lip_gap(Motion(to_channels(programme.controls), MOTION_FPS)).any()


def test_a_disguised_voice_is_another_one_and_its_silence_stays_silent():
    mel = np.tile(np.linspace(0.3, 0.9, 40, dtype=np.float32), (60, 1))
    mel[20:40] = 0
    disguised = mel.copy()
    augment.disguise(disguised, np.random.default_rng(0))
    assert np.abs(disguised - mel)[:15].mean() > 0.01
    assert not disguised[25:35].any()


def test_augmentation_keeps_length_and_range():
    rng = np.random.default_rng(0)
    sound = Robot(None).speak("", "", "", 1).samples
    for _ in range(20):
        recorded = augment.record(sound, rng)
        assert recorded.shape == sound.shape
        assert np.isfinite(recorded).all() and np.abs(recorded).max() <= 1


def tiny_config(corpus, folder, steps: int) -> TrainConfig:
    return TrainConfig(
        corpus=str(corpus), out=str(folder / "run"), checkpoint=str(folder / "checkpoint"), hours=0.01, hidden_size=16,
        encoder_dilations=(1,), num_layers=1, num_heads=2, num_steps=steps, batch_size=2, save_every=1, warmup_steps=1,
    )  # fmt: skip


def test_two_steps_train_and_a_stopped_run_goes_on_as_if_it_had_not_stopped(corpus, tmp_path, monkeypatch):
    from safetensors.numpy import load_file

    from animate.train import loop

    loop.train(tiny_config(corpus, tmp_path / "whole", 2))
    real_step = loop._step

    def stop_after_one(*arguments):
        if arguments[-1] == 1:
            raise KeyboardInterrupt
        return real_step(*arguments)

    monkeypatch.setattr(loop, "_step", stop_after_one)
    with pytest.raises(KeyboardInterrupt):
        loop.train(tiny_config(corpus, tmp_path / "parts", 2))
    monkeypatch.setattr(loop, "_step", real_step)
    loop.train(tiny_config(corpus, tmp_path / "parts", 2))
    whole, parts = (load_file(tmp_path / name / "run/state/state.safetensors") for name in ("whole", "parts"))
    assert whole.keys() == parts.keys()
    assert all(np.allclose(whole[name], parts[name], atol=1e-5) for name in whole)
    load_pipeline(tmp_path / "parts/checkpoint")


def test_a_run_that_only_listens_leaves_the_denoiser_alone(corpus, tmp_path):
    from animate.train import loop

    config = replace(tiny_config(corpus, tmp_path, 2), listen_only=True)
    before = loop.build_networks(config, [0.0] * NUM_LATENTS, [1.0] * NUM_LATENTS)
    loop.train(config)
    after = load_pipeline(config.checkpoint)
    untouched = after.denoiser.state_dict()
    assert all(torch.equal(value.half(), untouched[name].half()) for name, value in before[1].state_dict().items())
    moved = after.speech_encoder.state_dict()
    assert not torch.equal(before[0].state_dict()["project.weight"].half(), moved["project.weight"].half())


def test_a_run_can_start_from_the_weights_of_another(corpus, tmp_path):
    from animate.train import loop

    first = tiny_config(corpus, tmp_path / "first", 1)
    loop.train(first)
    expected = load_pipeline(first.checkpoint)
    started = loop.first_networks(replace(first, start_from=first.checkpoint), tmp_path / "second")
    for mine, theirs in zip(started, (expected.speech_encoder, expected.denoiser), strict=True):
        weights = theirs.state_dict()
        assert all(torch.equal(value, weights[name]) for name, value in mine.state_dict().items())
    assert "_name_or_path" not in started[1].config  # no path of this machine in the next checkpoint
    with pytest.raises(CheckpointError, match="nowhere"):
        loop.train(replace(first, out=str(tmp_path / "third"), start_from="nowhere"))


def test_an_average_lies_between_its_checkpoints(corpus, tmp_path):
    from animate.train import loop
    from animate.train.average import average

    folders = []
    for steps in (1, 2):
        config = tiny_config(corpus, tmp_path / str(steps), steps)
        folders.append(loop.train(config))
    mean, *ends = (load_pipeline(folder) for folder in (average(folders, tmp_path / "mean"), *folders))
    for network in ("speech_encoder", "denoiser"):
        weights, first, second = (getattr(part, network).state_dict() for part in (mean, *ends))
        for name, value in weights.items():
            assert torch.allclose(value, (first[name] + second[name]) / 2, atol=2e-3), name
    with pytest.raises(CheckpointError, match="no weights"):
        average([tmp_path / "nowhere"], tmp_path / "none")
    with pytest.raises(CheckpointError, match="differs in shape"):
        other = replace(tiny_config(corpus, tmp_path / "wide", 1), hidden_size=32)
        average([folders[0], loop.train(other)], tmp_path / "none")


def test_windows_are_padded_with_silence_at_the_ends(corpus, tmp_path):
    prepare(corpus, tmp_path / "material", 0.01, 0)
    windows = Windows(tmp_path / "material", 50, 10)
    batch = windows.batch(64, np.random.default_rng(0))
    assert batch.features.shape[1] == 70 and batch.controls.shape[1] == batch.phones.shape[1] == 50
    assert any(not row[:10].any() for row in batch.features)


def test_impossible_settings_are_refused():
    with pytest.raises(ConfigError, match="num_steps is 0"):
        TrainConfig(num_steps=0)
    with pytest.raises(ConfigError, match="multiple"):
        TrainConfig(hidden_size=20, num_heads=8)


def test_textgrids_are_read_in_both_formats(tmp_path):
    long = (
        'File type = "ooTextFile"\nObject class = "TextGrid"\nxmin = 0\nxmax = 1\ntiers? <exists>\nsize = 1\nitem []:\n'
        'item [1]:\nclass = "IntervalTier"\nname = "phones"\nxmin = 0\nxmax = 1\nintervals: size = 2\n'
        'intervals [1]:\nxmin = 0\nxmax = 0.5\ntext = "AA1"\nintervals [2]:\nxmin = 0.5\nxmax = 1\ntext = "M"\n'
    )
    short = (
        '"ooTextFile"\n"TextGrid"\n0\n1\n<exists>\n1\n"IntervalTier"\n"phones"\n0\n1\n2\n0\n0.5\n"AA1"\n0.5\n1\n"M"\n'
    )
    for text in (long, short):
        (tmp_path / "a.TextGrid").write_text(text)
        assert read_textgrid(tmp_path / "a.TextGrid") == [Phone("ɑ", 0.0, 0.5), Phone("m", 0.5, 1.0)]
