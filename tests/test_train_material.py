"""What the corpus and the teacher add to plain speech: drawn words, songs, effort, emotions; and what is measured."""

import random

import numpy as np
import pytest

from animate.motion.emotions import EMOTIONS, emotion_vector
from animate.motion.latents import LATENT_INDEX, LATENTS, NUM_LIP_LATENTS, lip_gap, to_channels
from animate.speech import FEATURES, MOTION_FPS, extract_features
from animate.train import augment, measures, texts
from animate.train.behaviour import HEAD_SPECTRA, behaviour_curves
from animate.train.emotions import ADDED, coloured, draw_intensities
from animate.train.measures import Case
from animate.train.phonemes import PAUSE, Phone, festival_to_ipa
from animate.train.singing import compose
from animate.train.synthesisers import phones_of_events
from animate.train.teacher import lip_curves
from animate.train.visemes import PHONE_CLASSES, phone_classes
from animate.types import Motion, Speech, SpeechFeatures

SYLLABLES = ("mɑ", "mɑ", "pi", "pu", "fɑ", "tu", "bɑ")  # 0.3 s each, a third of it the consonant
WORDS = [
    Phone(symbol, 0.5 + 0.3 * index + start_s, 0.5 + 0.3 * index + end_s)
    for index, syllable in enumerate(SYLLABLES)
    for symbol, start_s, end_s in zip(syllable, (0.0, 0.1), (0.1, 0.3))
]
COUNT = 160


def neutral_controls() -> np.ndarray:
    lips = lip_curves(WORDS, COUNT, MOTION_FPS)
    rest = behaviour_curves(COUNT, MOTION_FPS, np.ones(COUNT), np.random.default_rng(0), 1.0)
    return np.concatenate([lips, rest], axis=1)


def acted(emotion: str, intensity: float = 1.0) -> np.ndarray:
    intensities = np.tile(emotion_vector({emotion: intensity}), (COUNT, 1))
    return coloured(neutral_controls(), intensities, MOTION_FPS, np.random.default_rng(1))


def motion_of(controls: np.ndarray) -> Motion:
    return Motion(to_channels(controls), MOTION_FPS)


@pytest.mark.parametrize("emotion", EMOTIONS)
def test_an_emotion_moves_its_own_channels_more_with_intensity(emotion):
    name = max((name for name in ADDED[emotion] if not name.startswith(("head", "gaze"))), key=ADDED[emotion].get)
    levels = [acted(emotion, intensity)[:, LATENT_INDEX[name]].mean() for intensity in (0.0, 0.5, 1.0)]
    assert levels[0] + 0.05 < levels[1] < levels[2]


@pytest.mark.parametrize("emotion", EMOTIONS)
def test_an_emotion_breaks_no_closure_and_opens_no_silence(emotion):
    plain, gap = (lip_gap(motion_of(controls)) for controls in (neutral_controls(), acted(emotion)))
    assert (plain < 0.01).sum() > 40
    assert gap[plain < 0.01].max() < measures.CONTACT


def test_neutral_leaves_a_performance_as_it_is():
    assert np.allclose(acted("happy", 0.0), neutral_controls(), atol=1e-6)


def test_drawn_emotions_are_sometimes_absent_and_stay_in_range():
    rng = np.random.default_rng(0)
    drawn = [draw_intensities(200, MOTION_FPS, rng) for _ in range(60)]
    assert all(0 <= rows.min() and rows.max() <= 1 for rows in drawn)
    assert 5 < sum(not rows.any() for rows in drawn) < 40


def test_mumbling_and_enunciating_scale_the_opening_and_keep_the_closures():
    gaps = [
        lip_gap(motion_of(np.pad(lip_curves(WORDS, COUNT, MOTION_FPS, None, size), ((0, 0), (0, 18)))))
        for size in (0.6, 1.0, 1.4)
    ]
    assert gaps[0].max() < gaps[1].max() < gaps[2].max()
    sealed = neutral_controls()[:, LATENT_INDEX["seal"]] > 0.99
    assert sealed.any() and all(gap[sealed].max() < 0.01 for gap in gaps)


def test_the_first_controls_are_the_lips():
    assert (
        len(LATENTS)
        == NUM_LIP_LATENTS + behaviour_curves(9, MOTION_FPS, np.ones(9), np.random.default_rng(0), 1.0).shape[1]
    )


def test_written_sentences_come_once_and_drawn_ones_for_ever(monkeypatch):
    monkeypatch.setattr(texts, "_word_list", lambda language: [f"w{n}" for n in "abcdefgh"])
    stream = texts.sentences("hi", random.Random(1))
    first = [next(stream) for _ in range(40)]
    assert len(set(first[:12])) == 12 and not any(line.startswith("W") for line in first[:12])
    assert all(line.startswith("W") and 4 <= len(line.split()) <= 9 for line in first[12:])
    again = texts.sentences("hi", random.Random(1))
    assert first == [next(again) for _ in range(40)]


@pytest.mark.parametrize(
    "name, language, ipa",
    [("ax", "ca", "ə"), ("r~", "cs", "ʒ"), ("y", "ru", "ɨ"), ("@:", "fi", "æ"), ("pau", "it", PAUSE)],
)
def test_phones_of_festival_become_ipa(name, language, ipa):
    assert festival_to_ipa(name, language) == ipa


def test_phones_of_espeak_close_before_the_burst_and_lose_their_marks():
    events = [(0.0, "_:"), (0.1, "ˈɑː"), (0.3, "p"), (0.32, "(en)"), (0.35, "m"), (0.4, "")]
    phones = phones_of_events(events, 0.5)
    assert [phone.symbol for phone in phones] == ["", "ɑː", "p", "", "m", ""]
    assert phones[2].start_s == pytest.approx(0.25) and phones[1].end_s == phones[2].start_s
    assert phones[4].start_s == pytest.approx(0.35), "only voiceless stops are late"


def test_a_melody_holds_vowels_and_keeps_consonants_short():
    tokens = ["<", "m", "a", "t", "i", ">"]
    units, pitch_hz = compose(tokens, np.array([4.0, 2, 2, 2, 2, 4]), (200, 200), np.random.default_rng(3))
    assert units[[1, 3]].tolist() == [2, 2]
    assert units[[2, 4]].min() >= 10
    assert len(pitch_hz) == 2 * units.sum()
    on_t = slice(int(2 * units[:3].sum()), int(2 * units[:4].sum()))
    assert (pitch_hz[on_t] < 0).all()
    held = pitch_hz[int(2 * units[:2].sum()) : int(2 * units[:3].sum())]
    assert 190 < held.min() and held.max() < 520


def test_phones_have_classes_frame_by_frame():
    classes = phone_classes([Phone("aɪ", 0.1, 0.3), Phone("p", 0.3, 0.4)], 25, 50)
    assert [PHONE_CLASSES[index] for index in classes[[0, 6, 14, 17, 22]]] == ["", "a", "ɪ", "p", ""]


def buzz(seconds: float = 1.0) -> np.ndarray:
    times = np.arange(int(16_000 * seconds)) / 16_000
    return (sum(np.sin(2 * np.pi * 120 * k * times) / k for k in range(1, 20)) * 0.2).astype(np.float32)


def voicing(samples: np.ndarray) -> float:
    return float(extract_features(Speech(samples, 16_000)).values[:, FEATURES.index("voicing")].mean())


def test_a_whisper_keeps_its_length_and_loses_its_voice():
    sound = np.concatenate([np.zeros(8000, np.float32), buzz(), np.zeros(8000, np.float32)])
    whisper = augment.whispered(sound, np.random.default_rng(0))
    assert whisper.shape == sound.shape and np.isfinite(whisper).all()
    assert voicing(whisper) < 0.5 * voicing(sound)


def test_a_shout_is_brighter():
    loud = augment.shouted(buzz(), np.random.default_rng(0))
    share = [np.abs(np.fft.rfft(sound))[1500:].sum() / np.abs(np.fft.rfft(sound)).sum() for sound in (buzz(), loud)]
    assert share[1] > 1.2 * share[0]


def test_a_laugh_is_a_row_of_ha():
    samples, phones = augment.laugh(np.random.default_rng(0))
    assert "".join(phone.symbol for phone in phones) == "ha" * (len(phones) // 2)
    assert np.abs(samples).max() == pytest.approx(1)
    assert phones[-1].end_s == pytest.approx(len(samples) / 16_000, abs=0.01)


def test_measures_tell_a_closed_mouth_from_an_open_one():
    taught = motion_of(neutral_controls())
    gaping = taught.with_channels(jawOpen=0.5, mouthClose=0.0)
    good, bad = (measures.contacts([Case(WORDS, motion)]) for motion in (taught, gaping))
    assert good["closures p b m"] == 1 and bad["closures p b m"] == 0
    assert good["contacts f v"] == 1 and bad["contacts f v"] == 0
    assert good["rounding u o w"] == 1
    shut = measures.contacts([Case(WORDS, Motion.rest(taught.duration_s, MOTION_FPS))])
    assert good["false closures"] == 0 and shut["false closures"] == 1
    assert good["closed in other consonants"] < shut["closed in other consonants"] == 1
    assert measures.stillness([Case(WORDS, gaping)])["closed outside speech"] == 0


def test_a_pause_in_which_a_voice_sounds_is_no_pause():
    phones = [Phone("a", 0, 0.5), Phone(PAUSE, 0.5, 1.5), Phone("a", 1.5, 2.0), Phone(PAUSE, 2.0, 3.0)]
    values = np.zeros((150, len(FEATURES)), np.float32)
    values[:, [FEATURES.index("energy"), FEATURES.index("voicing")]] = 1
    values[100:] = 0
    values[105:110, FEATURES.index("energy")] = 1  # the end of a word
    heard = measures.with_unwritten_voice(phones, SpeechFeatures(values, MOTION_FPS))
    assert [phone.symbol for phone in heard] == ["a", measures.UNWRITTEN, "a", PAUSE]


def test_a_vowel_ends_where_it_fades():
    phones = [Phone("m", 0, 0.2), Phone("a", 0.2, 1.0), Phone("s", 1.0, 1.2), Phone("a", 1.2, 1.6)]
    values = np.zeros((80, len(FEATURES)), np.float32)
    values[10:30, FEATURES.index("energy")] = 1
    heard = measures.without_silent_ends(phones, SpeechFeatures(values, MOTION_FPS))
    assert [phone.end_s for phone in heard] == pytest.approx([0.2, 0.6, 1.2, 1.2])


def test_measures_find_the_lag():
    wanted = np.sin(np.arange(200) / 5)
    assert measures.best_lag(np.roll(wanted, 3), wanted, 5)[1] == 3


def test_the_teachers_head_has_the_measured_spectrum():
    rng = np.random.default_rng(2)
    curves = [behaviour_curves(6000, MOTION_FPS, np.ones(6000), rng, 1.0) for _ in range(4)]
    motions = [motion_of(np.pad(rows, ((0, 0), (NUM_LIP_LATENTS, 0)))) for rows in curves]
    assert max(measures.spectrum_error_db(motions, HEAD_SPECTRA).values()) < 2
    jitter = [motion.with_channels(headYaw=rng.standard_normal(len(motion))) for motion in motions]
    assert measures.spectrum_error_db(jitter, HEAD_SPECTRA)["headYaw spectrum dB"] > 3
