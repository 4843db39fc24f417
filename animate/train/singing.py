"""Songs with exact phone times: Kokoro told how long each phone lasts and how high it is.

A melody is a random walk on a pentatonic scale; each vowel holds a note, consonants keep the lengths of speech.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from scipy.ndimage import gaussian_filter1d

from animate.errors import DependencyError
from animate.train.kokoro import DURATION, UNIT_S, Kokoro, merge_tokens
from animate.train.phonemes import ONE_LETTER, Phone
from animate.train.visemes import VOWELS

PITCH = "/encoder/F0_proj/Conv_output_0"
_PITCH_FPS = 80
_NOTE_UNITS = (10, 14, 20, 28, 40, 52)  # lengths of notes in units of 25 ms
_SCALE = (0, 2, 4, 7, 9, 12, 14, 16)  # semitones over the voice's lowest note
_LOWEST_HZ = {"f": (196, 294), "m": (98, 165)}  # by the sex in the voice's name
_UNVOICED = frozenset("ptkfθsʃhʧʦʨxçɸʂɕqꭧ<>;:,.!?")
_VIBRATO_HZ, _VIBRATO_DEPTH = 5.5, 0.018  # typical of trained singers (Sundberg 1994)
_GLIDE_S = 0.03


class Singer:
    """Kokoro with durations and pitch as inputs.

    Parameters
    ----------
    folder : Path
        Of the weights, as for `Kokoro`.
    threads : int
    """

    def __init__(self, folder: Path, threads: int = 1):
        self.speaker = Kokoro(folder, threads)
        self.session = _controlled_session(folder, threads)

    def sing(self, text: str, voice: str, language: str, rng: np.random.Generator) -> tuple[np.ndarray, list[Phone]]:
        """Return samples float32 [N] at 24 kHz of `text` on a drawn melody, and their phones."""
        tokens, feed = self.speaker.prepare(text, voice, language)
        feed["speed"] = np.ones(1, np.float32)
        _, spoken = self.speaker.session.run(None, feed)
        marked = ["<", *tokens, ">"]
        units, pitch_hz = compose(marked, spoken.ravel().astype(np.float64), _LOWEST_HZ[voice[1]], rng)
        feed["dur_in"] = units[None].astype(np.float16)
        feed["f0_in"] = pitch_hz[None, None].astype(np.float16)
        samples = self.session.run(None, feed)[0].ravel().astype(np.float32)
        edges = np.concatenate([[0.0], np.cumsum(units)]) * UNIT_S
        return samples, merge_tokens(marked, edges, samples)


def compose(
    tokens: list[str], units: np.ndarray, lowest_hz: tuple[float, float], rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Return sung lengths float64 [L] in units of 25 ms and pitch float64 [2 * their sum] in Hz at 80 frames a second.

    Parameters
    ----------
    tokens : list of str
        Kokoro's, with '<' and '>' at the ends.
    units : float64 [L]
        Lengths in speech.
    lowest_hz : (float, float)
        Range of the lowest note.
    """
    root_hz = rng.uniform(*lowest_hz)
    step = int(rng.integers(0, len(_SCALE)))
    sung = np.maximum(np.round(units), 1)
    notes = np.zeros(len(tokens))
    for index, token in enumerate(tokens):
        if ONE_LETTER.get(token, token)[0] in VOWELS:
            step = int(np.clip(step + rng.integers(-2, 3), 0, len(_SCALE) - 1))
            sung[index] = max(sung[index], rng.choice(_NOTE_UNITS))
        notes[index] = root_hz * 2 ** (_SCALE[step] / 12)
    frames = np.repeat(np.arange(len(tokens)), 2 * sung.astype(int))
    times = np.arange(len(frames)) / _PITCH_FPS
    pitch = gaussian_filter1d(notes[frames], _GLIDE_S * _PITCH_FPS)
    pitch *= 1 + _VIBRATO_DEPTH * np.sin(2 * np.pi * _VIBRATO_HZ * times)
    unvoiced = np.array([token in _UNVOICED for token in tokens])
    return sung, np.where(unvoiced[frames], -1.0, pitch)


def _controlled_session(folder: Path, threads: int):
    """Return a session of the model in which durations and pitch are inputs."""
    try:
        import onnx
        import onnxruntime
    except ImportError as error:
        raise DependencyError(f"{error.name} is missing. Use: pip install 'onnx<1.17' onnxruntime") from None
    model = onnx.load(str(folder / "kokoro-timed.onnx"))
    while len(model.graph.output) > 1:
        model.graph.output.pop()
    for node in model.graph.node:
        for position, name in enumerate(node.input):
            node.input[position] = {DURATION: "dur_in", PITCH: "f0_in"}.get(name, name)
    half = onnx.TensorProto.FLOAT16
    model.graph.input.append(onnx.helper.make_tensor_value_info("dur_in", half, ["1", "L"]))
    model.graph.input.append(onnx.helper.make_tensor_value_info("f0_in", half, [1, 1, "T2"]))
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    return onnxruntime.InferenceSession(model.SerializeToString(), options)
