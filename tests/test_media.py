"""Sound in, marked video out: exact lengths, true colours, and nothing half-written."""

import hashlib
import os
import signal
import subprocess
from fractions import Fraction

import imageio_ffmpeg
import numpy as np
import pytest
import soundfile
from PIL import Image
from skimage.data import astronaut

from animate.errors import MediaError, VoiceError
from animate.media import probe, read_frames, read_voice, write_video
from animate.provenance import mark
from animate.types import Speech

SAMPLE_RATE = 16000


@pytest.fixture
def tone():
    """Two seconds at 220 Hz, float32."""
    return (0.3 * np.sin(2 * np.pi * 220 * np.arange(2 * SAMPLE_RATE) / SAMPLE_RATE)).astype(np.float32)


@pytest.fixture
def picture():
    return np.ascontiguousarray(astronaut()[::4, ::4])


def marked(picture, fps=25, num_frames=10, frames=None):
    frames = frames or (lambda: iter([picture] * num_frames))
    return mark(frames, picture, fps=fps, num_frames=num_frames, mark_id="0123456789ab")


def header(path):
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-hide_banner", "-i", str(path)]
    return subprocess.run(command, capture_output=True, text=True).stderr


# Voices


def test_a_voice_keeps_its_samples_and_rate(tmp_path, tone):
    path = tmp_path / "voice.wav"
    soundfile.write(path, tone, SAMPLE_RATE, subtype="FLOAT")
    speech = read_voice(path)
    assert (speech.sample_rate, speech.samples.dtype, speech.name) == (SAMPLE_RATE, np.float32, "voice.wav")
    assert np.abs(speech.samples - tone).max() < 1e-4
    assert speech.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


def test_high_sample_rates_come_down_to_48_khz(tmp_path, tone):
    soundfile.write(tmp_path / "voice.wav", tone, 96000)
    speech = read_voice(tmp_path / "voice.wav")
    assert speech.sample_rate == 48000
    assert speech.duration_s == pytest.approx(len(tone) / 96000, abs=0.002)


@pytest.mark.parametrize("gains", [(1, 1), (1, -1), (1, 0), (0, 1), (0.5, -0.6)])
def test_no_stereo_voice_is_lost_in_the_mix(tmp_path, tone, gains):
    soundfile.write(tmp_path / "voice.wav", np.stack([gain * tone for gain in gains], axis=1), SAMPLE_RATE)
    samples = read_voice(tmp_path / "voice.wav").samples
    assert samples.shape == tone.shape
    assert np.sqrt(np.mean(samples**2)) > 0.5 * np.sqrt(np.mean(tone**2))


def test_a_recording_beyond_full_scale_is_scaled_not_clipped(tmp_path, tone):
    soundfile.write(tmp_path / "voice.wav", 10 * tone, SAMPLE_RATE, subtype="FLOAT")
    assert np.abs(read_voice(tmp_path / "voice.wav").samples - tone / tone.max()).max() < 1e-3


def test_the_sound_of_a_video_is_a_voice(tmp_path, tone, picture):
    path = write_video(tmp_path / "clip.mp4", marked(picture, 25, 50), Speech(tone, SAMPLE_RATE))
    samples = read_voice(path).samples
    assert np.corrcoef(samples, tone)[0, 1] > 0.99


def test_files_without_a_voice_are_refused_with_a_reason(tmp_path, picture):
    (tmp_path / "empty.wav").touch()
    (tmp_path / "text.mp3").write_text("not sound " * 100)
    soundfile.write(tmp_path / "nothing.wav", np.zeros(0), SAMPLE_RATE)
    soundfile.write(tmp_path / "broken.wav", np.full(1000, np.nan), SAMPLE_RATE, subtype="FLOAT")
    write_video(tmp_path / "silent.mp4", marked(picture))
    reasons = {
        "missing.wav": "no file",
        "": "is a folder",
        "empty.wav": "cannot decode",
        "text.mp3": "cannot decode",
        "nothing.wav": "holds no sound",
        "broken.wav": "not finite",
        "silent.mp4": "holds no sound",
    }
    for name, reason in reasons.items():
        with pytest.raises(VoiceError, match=reason):
            read_voice(tmp_path / name)


def test_names_that_look_like_options_or_protocols_are_only_names(tmp_path, tone, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("-loglevel.wav", "http:x.wav", "a 'b' $(c).wav"):
        soundfile.write(open(name, "wb"), tone, SAMPLE_RATE, format="WAV")
        assert len(read_voice(name).samples) == len(tone)


# Videos


@pytest.mark.parametrize("fps", ["23.976", 24, 25, "29.97", 30, 50, 60])
@pytest.mark.parametrize("voice_s", [0.3, 2.0])
def test_sound_and_pictures_are_equally_long(tmp_path, picture, tone, fps, voice_s):
    frames = marked(picture, fps, 33)
    speech = Speech(tone[: int(voice_s * SAMPLE_RATE)], SAMPLE_RATE)
    path = write_video(tmp_path / "clip.mp4", frames, speech)
    assert imageio_ffmpeg.count_frames_and_secs(path)[0] == 33
    wanted_s = 33 / frames.fps
    assert abs(read_voice(path).duration_s - wanted_s) < 0.5 / frames.fps
    assert f"{float(frames.fps):.2f}".rstrip("0").rstrip(".") + " fps" in header(path)


def test_ntsc_rates_are_exact(tmp_path, picture):
    path = write_video(tmp_path / "clip.mp4", marked(picture, Fraction(24000, 1001), 24))
    assert "24k tbn" in header(path)


def test_the_file_plays_everywhere(tmp_path, picture, tone):
    path = write_video(tmp_path / "clip.mp4", marked(picture), Speech(tone, SAMPLE_RATE))
    described = header(path)
    assert "h264" in described and "yuv420p(tv, bt709" in described and "Audio: aac" in described
    content = path.read_bytes()
    assert content.index(b"moov") < content.index(b"mdat")


def test_colours_come_back(tmp_path):
    bars = np.zeros((64, 256, 3), np.uint8)
    for place, colour in enumerate([(255, 0, 0), (0, 255, 0), (0, 0, 255), (120, 120, 120)]):
        bars[:, place * 64 : place * 64 + 64] = colour
    path = write_video(tmp_path / "clip.mp4", marked(bars), crf=4)
    middles = next(read_frames(path))[8:-8].reshape(48, 4, 64, 3)[:, :, 16:48].mean(axis=(0, 2))
    assert np.abs(middles - bars[0, 32::64]).max() < 4


def test_odd_sizes_grow_by_one_pixel_that_repeats_the_edge(tmp_path):
    picture = np.full((65, 99, 3), 200, np.uint8)
    path = write_video(tmp_path / "clip.mp4", marked(picture))
    frame = next(read_frames(path))
    assert frame.shape == (66, 100, 3)
    assert np.abs(frame.astype(int) - 200).max() < 12


def test_unmarked_frames_are_refused(tmp_path, picture):
    with pytest.raises(MediaError, match="provenance.mark"):
        write_video(tmp_path / "clip.mp4", iter([picture]))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("failure", [ValueError("boom"), KeyboardInterrupt()])
def test_a_failure_leaves_nothing_and_keeps_the_old_file(tmp_path, picture, tone, failure):
    def failing():
        yield picture
        raise failure

    for existing in (None, b"precious"):
        target = tmp_path / "clip.mp4"
        if existing:
            target.write_bytes(existing)
        with pytest.raises(type(failure)):
            write_video(target, marked(picture, frames=failing), Speech(tone, SAMPLE_RATE))
        assert [path.read_bytes() for path in tmp_path.iterdir()] == ([existing] if existing else [])


@pytest.mark.parametrize("given", [3, 11])
def test_a_wrong_number_of_frames_is_an_error(tmp_path, picture, given):
    with pytest.raises(MediaError, match="10 were announced"):
        write_video(tmp_path / "clip.mp4", marked(picture, 25, 10, lambda: iter([picture] * given)))
    assert not list(tmp_path.iterdir())


def test_targets_that_cannot_be_written_are_refused(tmp_path, picture):
    (tmp_path / "folder.mp4").mkdir()
    targets = {"clip.avi": "Use .mp4", "clip": "Use .mp4", "no/clip.mp4": "does not exist", "folder.mp4": "a folder"}
    for name, reason in targets.items():
        with pytest.raises(MediaError, match=reason):
            write_video(tmp_path / name, marked(picture))


@pytest.mark.skipif(not hasattr(signal, "SIGXFSZ"), reason="needs a limit on file sizes")
def test_a_full_disk_is_an_error_and_leaves_nothing(tmp_path, picture):
    """A limit on the size of files stands for the full disk; it holds for ffmpeg as well."""
    import resource

    noise = np.random.default_rng(0).integers(0, 256, (256, 256, 3), np.uint8)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, before[1]))
        with pytest.raises(MediaError, match="could not be written"):
            write_video(tmp_path / "clip.mp4", marked(noise, 25, 40))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)
    assert not list(tmp_path.iterdir())


def test_the_file_gets_the_usual_permissions(tmp_path, picture):
    umask = os.umask(0o022)
    try:
        path = write_video(tmp_path / "clip.mp4", marked(picture))
    finally:
        os.umask(umask)
    assert path.stat().st_mode & 0o777 == 0o644


# Reading back


def test_pictures_of_any_kind_are_one_rgb_frame(tmp_path, picture):
    Image.fromarray(picture).save(tmp_path / "a.png")
    Image.fromarray(picture).convert("L").save(tmp_path / "grey.webp", lossless=True)
    Image.fromarray(picture).convert("RGBA").save(tmp_path / "alpha.png")
    Image.fromarray(picture[..., 0].astype(np.uint16) * 257).save(tmp_path / "deep.png")
    for name in ("a.png", "grey.webp", "alpha.png", "deep.png"):
        (frame,) = read_frames(tmp_path / name)
        assert frame.shape == picture.shape and frame.dtype == np.uint8
    assert np.array_equal(next(read_frames(tmp_path / "alpha.png")), picture)
    assert np.array_equal(next(read_frames(tmp_path / "deep.png"))[..., 0], picture[..., 0])


def test_frames_are_spread_over_the_whole_length(tmp_path):
    stills = [np.full((64, 64, 3), 10 * level, np.uint8) for level in range(20)]
    path = write_video(tmp_path / "clip.mp4", marked(stills[0], 25, 20, lambda: iter(stills)))
    levels = [frame.mean() / 10 for frame in read_frames(path, max_frames=5)]
    assert np.allclose(levels, [0, 4, 8, 12, 16], atol=0.5)
    assert len(list(read_frames(path))) == 20
    pillow = [Image.fromarray(still) for still in stills]
    pillow[0].save(tmp_path / "clip.gif", save_all=True, append_images=pillow[1:])
    levels = [frame.mean() / 10 for frame in read_frames(tmp_path / "clip.gif", max_frames=5)]
    assert np.allclose(levels, [0, 5, 10, 14, 19], atol=0.5)


def test_long_videos_are_sampled_to_the_end(tmp_path):
    stills = [np.full((64, 64, 3), level, np.uint8) for level in range(0, 250, 5)]
    path = write_video(tmp_path / "clip.mp4", marked(stills[0], 1, 50, lambda: iter(stills)))
    levels = [frame.mean() for frame in read_frames(path, max_frames=12)]
    assert len(levels) == 12 and min(levels) < 30 and max(levels) > 150


def test_probe_tells_size_rate_and_length(tmp_path, picture):
    info = probe(write_video(tmp_path / "clip.mp4", marked(picture, 50, 25)))
    assert (info.size, info.fps, info.num_frames) == ((128, 128), 50.0, 25)


def test_what_is_no_picture_is_refused(tmp_path):
    (tmp_path / "text.png").write_text("not a picture " * 50)
    Image.new("RGB", (300, 300), "red").save(tmp_path / "cut.png")
    (tmp_path / "cut.png").write_bytes((tmp_path / "cut.png").read_bytes()[:200])
    for name in ("text.png", "cut.png", "missing.png", ""):
        with pytest.raises(MediaError):
            list(read_frames(tmp_path / name))
