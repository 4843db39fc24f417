"""The synthesisers of the corpus behind one seam: text in, sound with phone times out.

Each source is a tool that the user installs; none is imported by the library itself.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile

from animate.errors import DependencyError
from animate.train.kokoro import SAMPLE_RATE as KOKORO_RATE
from animate.train.kokoro import Kokoro, merge_tokens
from animate.train.phonemes import ARPABET, PAUSE, Phone


@dataclass(frozen=True, eq=False)
class TimedSpeech:
    """Synthesised samples float32 [N] with their phones."""

    samples: np.ndarray
    sample_rate: int
    phones: list[Phone]


class Synthesiser(ABC):
    """A source of timed speech.

    Parameters
    ----------
    tools : Path
        Folder of downloaded weights (one subfolder for each source that needs any).
    threads : int

    Raises
    ------
    DependencyError
        If the tool is missing.
    """

    share_minutes: float  # how much of it the corpus takes

    @abstractmethod
    def __init__(self, tools: Path, threads: int = 1): ...

    @abstractmethod
    def voices(self) -> dict[str, list[str]]:
        """Return the voices of each language."""

    @abstractmethod
    def speak(self, text: str, voice: str, language: str, speed: float) -> TimedSpeech:
        """Return `text` spoken; `speed` above 1 is faster."""


class KokoroVoices(Synthesiser):
    """Natural neural voices: the body of the corpus."""

    share_minutes = 40.0
    _LANGUAGES = {
        "a": "en-us", "b": "en-gb", "e": "es", "f": "fr", "h": "hi", "i": "it", "j": "ja", "p": "pt", "z": "zh",
    }  # fmt: skip

    def __init__(self, tools: Path, threads: int = 1):
        self.model = Kokoro(tools / "kokoro", threads)

    def voices(self) -> dict[str, list[str]]:
        by_language: dict[str, list[str]] = {}
        for voice in self.model.voices:
            by_language.setdefault(self._LANGUAGES[voice[0]], []).append(voice)
        return by_language

    def speak(self, text: str, voice: str, language: str, speed: float) -> TimedSpeech:
        samples, phones = self.model.speak(text, voice, language, speed)
        return TimedSpeech(samples, KOKORO_RATE, phones)


class HibariVoice(Synthesiser):
    """A small neural voice (American English, Apache-2.0), a hundred times faster than real time."""

    share_minutes = 45.0

    def __init__(self, tools: Path, threads: int = 1):
        try:
            import onnx
            import onnxruntime
            from hibari import Hibari, dsp
        except ImportError as error:
            message = f"{error.name} is missing. Use: pip install hibari-tts 'onnx<1.17' onnxruntime"
            raise DependencyError(message) from None
        self.voice, self.vocode = Hibari(), dsp.synth
        model = onnx.load(self.voice.model_path)
        durations = onnx.helper.make_tensor_value_info("/Clip_output_0", onnx.TensorProto.FLOAT, None)
        model.graph.output.append(durations)
        self.session = onnxruntime.InferenceSession(model.SerializeToString())

    def voices(self) -> dict[str, list[str]]:
        return {"en-us": ["heart"]}

    def speak(self, text: str, voice: str, language: str, speed: float) -> TimedSpeech:
        tokens = [token for token in " ".join(self.voice.phonemize(text)) if token in self.voice.vocab]
        feed = {"ids": np.array([self.voice.ids(tokens)], np.int64), "speed": np.array([speed], np.float32)}
        *vocoder, durations = self.session.run(None, feed)
        samples = self.vocode(*(part[0] for part in vocoder), np.random.default_rng(len(text))).astype(np.float32)
        edges = np.concatenate([[0.0], np.cumsum(durations.astype(np.float64))]) * 600 / KOKORO_RATE
        return TimedSpeech(samples, KOKORO_RATE, merge_tokens(["<", *tokens, ">"], edges, samples))


class FliteVoices(Synthesiser):
    """CMU Flite (BSD-like licence): statistical English voices, seasoning."""

    share_minutes = 14.0

    def __init__(self, tools: Path, threads: int = 1):
        self.program = _program("flite", "apt install flite")

    def voices(self) -> dict[str, list[str]]:
        return {"en-us": ["slt", "rms", "awb", "kal16"]}

    def speak(self, text: str, voice: str, language: str, speed: float) -> TimedSpeech:
        with tempfile.TemporaryDirectory() as folder:
            sound = Path(folder) / "speech.wav"
            stretch = f"duration_stretch={1 / speed:.3f}"
            command = [self.program, "-voice", voice, "--setf", stretch, "-psdur", "-t", text, "-o", str(sound)]
            printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
            samples, sample_rate = soundfile.read(sound, dtype="float32")
        ends = [(name, float(end)) for name, end in re.findall(r"(\S+):([\d.]+)", printed)]
        return TimedSpeech(samples, sample_rate, _arpabet_phones(ends))


class FestivalVoice(Synthesiser):
    """Festival with the HTS voice slt (BSD-like licence): statistical English, seasoning."""

    share_minutes = 10.0

    def __init__(self, tools: Path, threads: int = 1):
        self.program = _program("festival", "apt install festival festvox-us-slt-hts")

    def voices(self) -> dict[str, list[str]]:
        return {"en-us": ["slt-hts"]}

    def speak(self, text: str, voice: str, language: str, speed: float) -> TimedSpeech:
        with tempfile.TemporaryDirectory() as folder:
            sound, labels, script = (Path(folder) / name for name in ("speech.wav", "phones.lab", "speak.scm"))
            script.write_text(
                f"(voice_cmu_us_slt_arctic_hts) (Parameter.set 'Duration_Stretch {1 / speed:.3f})\n"
                f'(set! u (utt.synth (Utterance Text "{text.replace(chr(34), "")}")))\n'
                f'(utt.save.segs u "{labels}") (utt.save.wave u "{sound}")\n'
            )
            subprocess.run([self.program, "-b", str(script)], check=True, capture_output=True)
            samples, sample_rate = soundfile.read(sound, dtype="float32")
            rows = [line.split() for line in labels.read_text().splitlines()[1:]]
        return TimedSpeech(samples, sample_rate, _arpabet_phones([(row[2], float(row[0])) for row in rows]))


def _arpabet_phones(ends: list[tuple[str, float]]) -> list[Phone]:
    starts = [0.0, *(end for _, end in ends)]
    return [Phone(ARPABET.get(name, PAUSE), start, end) for (name, end), start in zip(ends, starts, strict=False)]


def _program(name: str, install: str) -> str:
    path = shutil.which(name)
    if path is None:
        raise DependencyError(f"{name} is not installed. Use: {install}")
    return path


SOURCES: dict[str, type[Synthesiser]] = {
    "kokoro": KokoroVoices,
    "hibari": HibariVoice,
    "flite": FliteVoices,
    "festival": FestivalVoice,
}
