"""Read a voice from any file that ffmpeg understands."""

from __future__ import annotations

import hashlib
import logging
import subprocess
from pathlib import Path

import numpy as np

from animate.errors import VoiceError
from animate.media.ffmpeg import LOCAL_ONLY, ffmpeg, file_argument
from animate.types import Speech

_log = logging.getLogger(__name__)

# ffmpeg takes the nearest of these. All are rates of AAC (ISO/IEC 14496-3), so the voice is resampled at most once.
_SAMPLE_RATES = "8000|11025|12000|16000|22050|24000|32000|44100|48000"
# Power of the mean of two channels over that of the louder one: 1 for equal channels, 0.5 for unrelated ones, 0.25
# for one silent channel, 0 for opposite phase. Below this the mean would lose the voice.
_MIN_MIX_POWER = 0.3
_CHUNK_BYTES = 1 << 20  # a multiple of 8, the size of a stereo sample


def read_voice(path: str | Path) -> Speech:
    """Read the first sound track of a file as mono speech.

    The sample rate is that of the file, 8 to 48 kHz. Channels are averaged, unless they cancel each other or all
    but one are silent; then the louder one is taken. Recordings that exceed full scale are scaled down to it.

    Parameters
    ----------
    path : str or Path
        Any audio or video file that ffmpeg reads.

    Returns
    -------
    Speech
        float32 [N] mono in -1 to 1, with the file's name and sha256.

    Raises
    ------
    VoiceError
        If there is no such file, or it holds no sound that can be decoded, or samples that are not finite.

    Examples
    --------
    >>> import soundfile, tempfile
    >>> path = Path(tempfile.mkdtemp()) / "voice.wav"
    >>> soundfile.write(path, np.zeros((16000, 2)), 16000)
    >>> speech = read_voice(path)
    >>> speech.samples.shape, speech.sample_rate
    ((16000,), 16000)
    """
    path = Path(path)
    if path.is_dir():
        raise VoiceError(f"{path} is a folder. Give the audio or video file in it that holds the voice.")
    if not path.is_file():
        raise VoiceError(f"There is no file {path}. Check the path of the voice.")
    samples, sample_rate, power = _decode(path)
    mix, *channels = power
    if max(channels) > 0 and mix < _MIN_MIX_POWER * max(channels):
        samples, sample_rate, _ = _decode(path, channel=int(np.argmax(channels)))
    peak = np.abs(samples).max()
    if not np.isfinite(peak):
        raise VoiceError(f"{path.name} holds samples that are not finite numbers. Export it again, e.g. as WAV.")
    if peak > 1:
        samples /= peak
    return Speech(samples, sample_rate, path.name, _sha256(path))


def _decode(path: Path, channel: int | None = None) -> tuple[np.ndarray, int, np.ndarray]:
    """Decode to mono: the mean of left and right, or one `channel` of them.

    Returns
    -------
    samples : float32 [N]
    sample_rate : int
    power : float64 [3]
        Energy of the mean, the first and the last channel; there are one or two.
    """
    arguments = [*LOCAL_ONLY, "-i", file_argument(path), "-map", "0:a:0", "-f", "au", "-c:a", "pcm_f32be", "-af"]
    arguments += [f"aformat=sample_rates={_SAMPLE_RATES}:channel_layouts=mono|stereo", "pipe:1"]
    mono, power = [], np.zeros(3)
    with ffmpeg(arguments, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE) as decoder:
        stream = decoder.process.stdout
        # The .au format has the only header of a raw stream that is complete before its length is known:
        # magic, offset of the data, size, encoding, sample rate, channels; big-endian uint32 each.
        header = np.frombuffer(stream.read(24), ">u4")
        if len(header) == 6:
            sample_rate, num_channels = int(header[4]), int(header[5])
            stream.read(int(header[1]) - 24)
            while chunk := stream.read(_CHUNK_BYTES):
                whole = chunk[: len(chunk) // (4 * num_channels) * 4 * num_channels]
                tracks = np.frombuffer(whole, ">f4").reshape(-1, num_channels).astype(np.float32)  # [n, 1 or 2]
                mean = tracks.mean(axis=1)
                power += [np.vdot(track, track) for track in (mean, tracks[:, 0], tracks[:, -1])]
                mono.append(mean if channel is None else tracks[:, channel].copy())
        status = decoder.finish()
        if not sum(map(len, mono)):
            readable = status == 0 or "matches no streams" in decoder.first_words()
            reason = "it holds no sound" if readable else "ffmpeg cannot decode it"
            raise VoiceError(f"No voice in {path.name}: {reason}. Use an audio or video file with speech.")
        if status:
            _log.warning("%s is damaged; the part that could be read is used (%s).", path.name, decoder.first_words())
    return np.concatenate(mono), sample_rate, power


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()
