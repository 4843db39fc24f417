"""Captions: all of the text, in time, in lines that can be read."""

import re

import numpy as np
import pytest

from animate.captions import Caption, captions, check_captions, write_captions
from animate.errors import ConfigError, MediaError, VoiceError
from animate.speech import split_words
from animate.types import Speech, Word

TEXT = (
    "Guten Tag – meine Damen und Herren, ich freue mich sehr, Sie heute hier begrüßen zu dürfen. Es ist mir eine große "
    "Ehre. Und damit, wie gesagt, beginnen wir nun mit der Vorstellung unseres neuen Programms für das kommende Jahr."
)


@pytest.fixture(autouse=True)
def no_alignment(monkeypatch):
    """Spread the words over the voice, whatever is installed."""

    def missing(speech, transcript):
        raise VoiceError("no alignment in this test")

    monkeypatch.setattr("animate.captions.align_words", missing)


def babble(*stretches, duration_s=12.0):
    """Return a voice that sounds in some stretches, in seconds, and is silent between."""
    times = np.arange(round(duration_s * 16000)) / 16000
    heard = sum(((times >= start) & (times < end)) for start, end in stretches)
    return Speech((0.3 * heard * np.sin(2 * np.pi * 180 * times)).astype(np.float32), 16000)


def words_of(shown):
    return " ".join(" ".join(caption.lines) for caption in shown).split()


def test_every_word_is_shown_once_and_in_order():
    assert words_of(captions(babble((0, 12)), TEXT)) == TEXT.split()


def test_captions_cover_the_voice_and_never_overlap(caplog):
    shown = captions(babble((1, 5), (7, 11)), TEXT)
    assert "lengths of the words" in caplog.text and "no alignment in this test" in caplog.text
    assert shown[0].start_s == pytest.approx(1, abs=0.1) and shown[-1].end_s == pytest.approx(11, abs=0.3)
    for before, after in zip(shown, shown[1:]):
        assert before.start_s < before.end_s <= after.start_s


def test_lines_and_times_keep_to_the_figures():
    shown = captions(babble((0, 40), duration_s=40), " ".join([TEXT] * 4))
    for caption in shown:
        assert len(caption.lines) <= 2 and all(0 < len(line) <= 42 for line in caption.lines)
        assert 1.0 <= caption.end_s - caption.start_s <= 7.5


def test_a_caption_follows_the_words_that_were_aligned(monkeypatch):
    spoken = [Word(word, 1.0 + n, 1.4 + n) for n, word in enumerate(["Never", "say", "never", "again"])]
    monkeypatch.setattr("animate.captions.align_words", lambda speech, transcript: spoken)
    shown = captions(babble((0, 8)), "Never, say... never! Again.")
    assert words_of(shown) == ["Never,", "say...", "never!", "Again."]
    assert shown[0].start_s == 1.0 and shown[-1].end_s >= 4.4


def test_chinese_breaks_between_letters():
    text = "床前明月光，疑是地上霜。举头望明月，低头思故乡。" * 2
    shown = captions(babble((0, 6), duration_s=6), text)
    assert "".join(line for caption in shown for line in caption.lines) == text
    assert all(len(line) <= 16 for caption in shown for line in caption.lines)


def test_files_read_back(tmp_path):
    shown = [Caption(0.0, 1.5, ("Tom & <Jerry>",)), Caption(3661.25, 3663.0, ("one", "two"))]
    srt = write_captions(shown, tmp_path / "a.srt").read_text(encoding="utf-8")
    assert srt == "1\n00:00:00,000 --> 00:00:01,500\nTom & <Jerry>\n\n2\n01:01:01,250 --> 01:01:03,000\none\ntwo\n\n"
    vtt = write_captions(shown, tmp_path / "a.vtt").read_text(encoding="utf-8")
    assert vtt.startswith("WEBVTT\n\n00:00:00.000 --> 00:00:01.500\nTom &amp; &lt;Jerry&gt;\n")
    assert len(re.findall("-->", vtt)) == 2
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.srt", "a.vtt"]


def test_mistakes_are_told_before_the_work(tmp_path):
    voice = babble((0, 1), duration_s=1)
    with pytest.raises(ConfigError, match="--transcript"):
        check_captions(tmp_path / "a.srt", voice, None)
    with pytest.raises(ConfigError, match="voice"):
        check_captions(tmp_path / "a.srt", None, TEXT)
    with pytest.raises(MediaError, match=r"\.srt or \.vtt"):
        check_captions(tmp_path / "a.txt", voice, TEXT)
    with pytest.raises(MediaError, match="does not exist"):
        check_captions(tmp_path / "no" / "a.srt", voice, TEXT)
    with pytest.raises(VoiceError, match="no words"):
        captions(voice, " – ")


def test_lonely_dashes_go_with_the_word_before():
    assert split_words("– Never – say “never” .") == ["Never –", "say", "“never” ."]
