"""Every format: what goes in comes out, marked and signed, transparent where asked, and nothing is left half-done."""

import json
import logging
import subprocess
from dataclasses import replace

import cv2
import imageio_ffmpeg
import numpy as np
import pytest
import soundfile
from PIL import Image
from skimage.data import astronaut as picture_of_the_astronaut

from animate import pipeline
from animate.channels import INDEX
from animate.cli import main
from animate.config import RenderConfig
from animate.errors import ConfigError, MediaError, ProvenanceError
from animate.media import Encoding, check_targets, probe, read_frames, read_voice, write_video, write_videos
from animate.provenance import detect, mark, read_credentials, record
from animate.renderer import MeshRenderer
from animate.renderer.backdrop import foreground_colours
from animate.types import Motion, Speech

MARK_ID = "0123456789ab"
COUNT = 10
FILES = ["a.mp4", "a.webm", "a.mov", "a.gif", "a.webp", "a.png", "a.jpg"]
ALPHA = ["a.webm", "a.mov", "a.webp", "a.png"]


@pytest.fixture(scope="module")
def still():
    return np.ascontiguousarray(picture_of_the_astronaut()[:256, 100:356])


@pytest.fixture
def voice():
    return Speech((0.3 * np.sin(np.arange(6400) / 10)).astype(np.float32), 16000)


def cut_out(still):
    """Return the still with a soft disc of alpha."""
    y, x = np.mgrid[: still.shape[0], : still.shape[1]]
    radius = np.hypot(y - still.shape[0] / 2, x - still.shape[1] / 2) / min(still.shape[:2])
    return np.dstack([still, np.round(255 * np.clip((0.42 - radius) / 0.05, 0, 1)).astype(np.uint8)])


def marked(still, count=COUNT, frames=None, fps=25):
    return mark(frames or (lambda: iter([still] * count)), still, fps=fps, num_frames=count, mark_id=MARK_ID)


def with_alpha(path):
    """Return the first frame of a file, uint8 [H, W, 4]."""
    if path.suffix in (".png", ".webp"):
        return np.array(Image.open(path).convert("RGBA"))
    decoder = ["-c:v", "libvpx-vp9"] if path.suffix == ".webm" else []  # ffmpeg's own leaves alpha out
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-loglevel", "error", *decoder, "-i", str(path), "-frames:v", "1"]
    done = subprocess.run([*command, "-pix_fmt", "rgba", "-f", "rawvideo", "-"], capture_output=True, check=True)
    width, height = probe(path).size
    return np.frombuffer(done.stdout, np.uint8).reshape(height, width, 4)


# Formats


@pytest.mark.parametrize("name", ["a.mp4", "a.mov", "a.webm"])
@pytest.mark.parametrize("producer", ["", 'Studio "Æ"'])
def test_videos_hold_the_aigc_tag_if_it_is_asked_for(tmp_path, still, name, producer):
    path = write_video(tmp_path / name, marked(still), aigc_producer=producer)
    probed = subprocess.run([imageio_ffmpeg.get_ffmpeg_exe(), "-i", str(path)], capture_output=True).stderr.decode()
    tags = [line.split(":", 1)[1] for line in probed.splitlines() if line.strip().startswith("AIGC")]
    told = [(tag["Label"], tag["ContentProducer"], tag["ProduceID"]) for tag in map(json.loads, tags)]
    assert told == ([("1", producer, MARK_ID)] if producer else [])
    assert read_credentials(path).mark_id == MARK_ID


def test_pictures_refuse_a_tag_that_they_cannot_hold(tmp_path):
    with pytest.raises(MediaError, match="AIGC"):
        check_targets([tmp_path / "a.mp4", tmp_path / "a.gif"], Encoding(aigc_producer="Studio"))


@pytest.mark.parametrize("name", FILES)
def test_each_format_keeps_size_rate_and_frames_and_is_marked_and_signed(tmp_path, still, voice, name):
    moving = marked(still, COUNT, lambda: (np.vstack([still[:200], still[200:] // 2 + 5 * n]) for n in range(COUNT)))
    path = write_video(tmp_path / name, moving, voice)
    info = probe(path)
    assert info.size == (256, 256)
    assert len(list(read_frames(path))) == (1 if name in ("a.png", "a.jpg") else COUNT)
    if name in ("a.mp4", "a.webm", "a.mov"):
        assert info.fps == 25
        assert read_voice(path).duration_s == pytest.approx(COUNT / 25, abs=0.02)
    if name in ("a.gif", "a.webp"):
        with Image.open(path) as pictures:
            shown_ms = 0
            for index in range(pictures.n_frames):
                pictures.seek(index)
                pictures.load()
                shown_ms += pictures.info["duration"]
            assert shown_ms == 40 * COUNT and pictures.info["loop"] == 0
    verdict = pipeline.verify(path)
    assert verdict.mark_id == MARK_ID == verdict.credentials.mark_id and verdict.credentials.state == "trusted"
    beside = {"a.c2pa"} if name == "a.webm" else set()
    assert {file.name for file in tmp_path.iterdir()} == {name} | beside


@pytest.mark.parametrize("codec, name", [("h264", "h264"), ("hevc", "hevc"), ("av1", "av1")])
def test_mp4_holds_the_codec_that_was_asked_for(tmp_path, still, codec, name):
    path = write_video(tmp_path / "a.mp4", marked(still), codec=codec)
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-hide_banner", "-i", str(path)]
    assert f"Video: {name}" in subprocess.run(command, capture_output=True, text=True).stderr
    assert pipeline.verify(path).mark_id == MARK_ID
    assert np.abs(next(read_frames(path)).astype(int) - still).mean() < 4


@pytest.mark.parametrize("name", ALPHA)
def test_transparent_formats_keep_alpha_and_the_mark(tmp_path, name):
    frame = cut_out(picture_of_the_astronaut()[20:420, 60:460])
    path = write_video(tmp_path / name, marked(frame))
    seen = with_alpha(path)
    assert np.abs(seen[..., 3].astype(int) - frame[..., 3]).mean() < 2
    assert seen[0, 0, 3] == 0 and seen[200, 200, 3] == 255
    assert pipeline.verify(path).mark_id == MARK_ID
    opacity = seen[..., 3:] / 255
    for background in (0, 255):
        shown = np.round(seen[..., :3] * opacity + background * (1 - opacity)).astype(np.uint8)
        assert detect([shown]).mark_id == MARK_ID


@pytest.mark.parametrize("name", sorted({*FILES} - {*ALPHA}))
def test_opaque_formats_refuse_alpha_and_name_those_that_take_it(tmp_path, still, name):
    with pytest.raises(MediaError, match=r"\.webm, \.mov, \.webp, \.png"):
        write_video(tmp_path / name, marked(cut_out(still)))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", FILES)
def test_odd_sizes_are_written(tmp_path, still, name):
    path = write_video(tmp_path / name, marked(np.ascontiguousarray(still[:201, :155])))
    grown = (156, 202) if name in ("a.mp4", "a.webm") else (155, 201)
    assert probe(path).size == grown


def test_a_sequence_appears_whole_and_each_picture_verifies_alone(tmp_path, still):
    before = len(list(record.lines()))
    write_video(tmp_path / "ada" / "f_%03d.png", marked(cut_out(still), 4))
    pictures = sorted((tmp_path / "ada").iterdir())
    assert [picture.name for picture in pictures] == [f"f_00{number}.png" for number in (1, 2, 3, 4)]
    assert {read_credentials(picture).state for picture in pictures} == {"trusted"}
    assert pipeline.verify(pictures[2]).mark_id == MARK_ID and with_alpha(pictures[0])[0, 0, 3] == 0
    assert len(list(record.lines())) == before + 1


def test_a_still_is_the_frame_of_its_moment(tmp_path, still):
    frames = [np.full_like(still, 10 * number) for number in range(COUNT)]
    moving = marked(still, COUNT, lambda: iter(frames))
    path = write_video(tmp_path / "a.png", moving, still_at_s=0.2)
    assert next(read_frames(path)).mean() == pytest.approx(50, abs=1)
    with pytest.raises(MediaError, match="0 to 0.36 s"):
        write_video(tmp_path / "b.png", moving, still_at_s=0.5)


def test_several_files_are_written_from_one_pass(tmp_path, still, voice):
    passes = []

    def frames():
        passes.append(1)
        return iter([still] * COUNT)

    targets = [tmp_path / name for name in (*FILES, "s/%04d.png")]
    assert write_videos(targets, marked(still, COUNT, frames), voice, Encoding(crf=23)) == targets
    assert passes == [1]
    assert {path.name for path in tmp_path.iterdir()} == {*FILES, "s", "a.c2pa"}


# GIF


def noisy(still):
    random = np.random.default_rng(0)
    return [np.clip(still + random.normal(0, 12, still.shape), 0, 255).astype(np.uint8) for _ in range(COUNT)]


def test_a_gif_keeps_to_its_budget_and_says_what_it_gave_up(tmp_path, still, caplog):
    moving = marked(still, COUNT, lambda: iter(noisy(still)))
    whole = write_video(tmp_path / "whole.gif", moving).stat().st_size
    assert not caplog.text
    for share in (0.6, 0.25):
        path = write_video(tmp_path / "small.gif", moving, max_mb=share * whole / 1e6)
        assert path.stat().st_size <= share * whole
        assert "frames/s" in caplog.text
        assert pipeline.verify(path).mark_id == MARK_ID
    with pytest.raises(MediaError, match="less than"):
        write_video(tmp_path / "tiny.gif", moving, max_mb=0.001)
    assert not (tmp_path / "tiny.gif").exists()


@pytest.mark.parametrize("fps, shown", [("23.976", 24), (24, 24), (25, 24), (50, 24), (60, 12)])
def test_a_gif_plays_in_time_at_any_rate(tmp_path, still, fps, shown):
    frames = [np.roll(still[:96, :96], number, axis=0) for number in range(24)]
    path = write_video(tmp_path / "a.gif", mark(lambda: iter(frames), frames[0], fps=fps, num_frames=24))
    with Image.open(path) as picture:
        delays_ms = []
        for index in range(picture.n_frames):
            picture.seek(index)
            delays_ms.append(picture.info["duration"])
    assert len(delays_ms) == shown and min(delays_ms) >= 20
    assert sum(delays_ms) == pytest.approx(24_000 / float(fps), abs=25)


def test_the_dither_of_what_stands_still_stands_still(tmp_path, still):
    def frames():
        for number in range(COUNT):
            frame = still.copy()
            frame[100:120, 10 * number : 10 * number + 20] = 255
            yield frame

    pictures = np.stack(list(read_frames(write_video(tmp_path / "a.gif", marked(still, COUNT, frames)))))
    assert (pictures[:, :90] == pictures[:1, :90]).all() and (pictures[:, 130:] == pictures[:1, 130:]).all()


# Failures


@pytest.mark.parametrize("name", [*FILES, "s/%04d.png"])
@pytest.mark.parametrize("when", ["drawing", "sealing"])
def test_a_failure_leaves_nothing_and_keeps_the_old_file(tmp_path, still, monkeypatch, name, when):
    (tmp_path / "a.c2pa").write_bytes(b"older")
    if "/" not in name:
        (tmp_path / name).write_bytes(b"precious")

    def failing():
        yield still
        raise ValueError("boom")

    def seal(file, speech=None):
        raise ProvenanceError("boom")

    frames = marked(still, COUNT, failing if when == "drawing" else None)
    if when == "sealing":
        monkeypatch.setattr(frames, "seal", seal)
    with pytest.raises((ValueError, ProvenanceError), match="boom"):
        write_video(tmp_path / name, frames)
    left = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert left == {"a.c2pa": b"older"} | ({} if "/" in name else {name: b"precious"})


def test_an_encoder_that_fails_is_quoted(tmp_path, still, monkeypatch):
    monkeypatch.setattr("animate.media.encode._webp", lambda encoding, has_alpha: ["-c:v", "no-such-codec"])
    with pytest.raises(MediaError, match="a.webp could not be written. ffmpeg said: .*no-such-codec"):
        write_video(tmp_path / "a.webp", marked(still, 400))
    assert not list(tmp_path.iterdir())


def test_targets_that_make_no_sense_are_refused(tmp_path):
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "x").touch()
    reasons = {
        "a.avi": r"\.mp4, \.webm, \.mov, \.gif, \.webp, \.png, \.jpg",
        "full/%04d.png": "not empty",
        "new/%04d.jpg": r"ada/%04d\.png",
        "new/%d_%d.png": r"ada/%04d\.png",
        "no/new/%04d.png": "does not exist",
    }
    for name, reason in reasons.items():
        with pytest.raises(MediaError, match=reason):
            check_targets([tmp_path / name])


def test_settings_for_other_formats_are_not_ignored(tmp_path):
    for setting, name in (({"codec": "av1"}, "a.gif"), ({"max_mb": 8.0}, "a.mp4"), ({"still_at_s": 1.0}, "a.webp")):
        with pytest.raises(MediaError, match="has no effect"):
            check_targets([tmp_path / name], Encoding(**setting))
    check_targets([tmp_path / "a.mp4", tmp_path / "a.gif"], Encoding(codec="av1", max_mb=8.0))


@pytest.mark.parametrize("setting", [{"codec": "vp8"}, {"max_mb": -1.0}, {"still_at_s": -0.1}])
def test_impossible_settings_are_refused(setting):
    with pytest.raises(ConfigError, match=next(iter(setting))):
        RenderConfig(**setting)


# Cutouts


def row(**channels):
    values = np.zeros(len(INDEX), np.float32)
    for name, value in channels.items():
        values[INDEX[name]] = value
    return values


@pytest.fixture(scope="module")
def cutout(astronaut):
    return MeshRenderer(astronaut, cutout=True)


def test_a_cutout_is_opaque_inside_and_transparent_outside(astronaut, cutout):
    for frame in (cutout.draw(cutout.rest_row), cutout.draw(row(headYaw=8, jawOpen=0.5))):
        assert frame.shape == (*astronaut.image.shape[:2], 4)
        face = astronaut.face.vertices[:468, :2].mean(axis=0).astype(int)
        assert (frame[face[1] - 20 : face[1] + 20, face[0] - 20 : face[0] + 20, 3] == 255).all()
        assert (frame[:20, :20, 3] == 0).all()


def test_the_matte_moves_with_the_head(cutout):
    def middle(frame):
        return (frame[:200, :, 3].sum(axis=0) * np.arange(frame.shape[1])).sum() / frame[:200, :, 3].sum()

    left, right = (cutout.draw(row(headX=shift)) for shift in (-0.2, 0.2))
    assert middle(left) < middle(cutout.draw(cutout.rest_row)) - 2 < middle(right) - 4


def test_a_cutout_moves_as_the_opaque_frame_does(astronaut, cutout):
    moved = row(headYaw=6, jawOpen=0.6, eyeBlinkLeft=1.0)
    opaque, alone = MeshRenderer(astronaut).draw(moved), cutout.draw(moved)
    face = astronaut.face.vertices[:468, :2].astype(int)
    left, top, right, bottom = *face.min(axis=0), *face.max(axis=0)
    inside = cv2.erode(alone[..., 3], np.ones((15, 15)))[top:bottom, left:right] == 255
    difference = np.abs(opaque[top:bottom, left:right].astype(int) - alone[top:bottom, left:right, :3])
    assert inside.mean() > 0.6 and difference[inside].mean() < 1.5


def test_no_background_shows_through_the_edges(astronaut):
    green = np.zeros_like(astronaut.image)
    green[..., 1] = 255
    opacity = astronaut.matte[..., None]
    on_green = np.round(astronaut.image * opacity + green * (1 - opacity)).astype(np.uint8)
    drawn = MeshRenderer(replace(astronaut, image=on_green), cutout=True).draw(row(headYaw=5))
    edge = (drawn[..., 3] > 25) & (drawn[..., 3] < 230)
    assert edge.sum() > 500

    def greenness(picture):
        return float((picture[..., 1].astype(int) - np.maximum(picture[..., 0], picture[..., 2]))[edge].clip(0).mean())

    assert greenness(drawn) < 0.25 * greenness(on_green)
    assert foreground_colours(on_green, astronaut.matte)[:10, :10, 1].mean() < 200


def test_transparent_videos_come_from_the_library(tmp_path, astronaut):
    motion = Motion.rest(0.2, 25).with_channels(headYaw=5.0)
    frames = pipeline.render(astronaut, motion, alpha=True, crop="head", size=256, consent="public-domain")
    assert frames.has_alpha and frames.size == (256, 256)
    path = write_video(tmp_path / "a.webm", frames)
    assert with_alpha(path)[2, 2, 3] == 0 and pipeline.verify(path).mark_id == frames.mark_id


# The command line


@pytest.fixture
def inputs(tmp_path):
    Image.fromarray(picture_of_the_astronaut()[:300, 80:380]).save(tmp_path / "ada.png")
    soundfile.write(tmp_path / "line.wav", 0.3 * np.sin(np.arange(9600) / 10), 16000)
    (tmp_path / "line.txt").write_text("Eins, zwei, drei.", encoding="utf-8")
    return [str(tmp_path / "ada.png"), str(tmp_path / "line.wav")]


def test_one_command_writes_several_files_and_captions(tmp_path, inputs, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    outputs = ["-o", "o.webm", "-o", "o.gif", "-o", "o.jpg", "--max-mb", "3", "--still-at-s", "0.2"]
    words = ["--captions", "o.srt", "--transcript", "line.txt"]
    shown = ["--size", "480x270", "--label", "always", "--label-language", "de", "--num-inference-steps", "1"]
    assert main(["render", *inputs, *outputs, *words, *shown]) == 0
    assert capsys.readouterr().out.split() == ["o.webm", "o.gif", "o.jpg", "o.srt"]
    assert probe("o.gif").size == (480, 270)
    assert "Eins, zwei, drei." in (tmp_path / "o.srt").read_text(encoding="utf-8")
    assert main(["verify", "o.webm", "o.gif", "--json"]) == 0
    states = [json.loads(line)["credentials"]["state"] for line in capsys.readouterr().out.splitlines()]
    assert states == ["trusted", "trusted"]


@pytest.mark.parametrize(
    "options, message",
    [
        (["-o", "o.avi"], ".webm"),
        (["-o", "o.mp4", "--alpha"], ".webm, .mov"),
        (["-o", "o.mp4", "--crop", "nose"], "bust"),
        (["-o", "o.mp4", "--size", "huge"], "1280x720"),
        (["-o", "o.mp4", "--codec", "divx"], "hevc"),
        (["-o", "o.mp4", "--label", "always", "--label-language", "xx"], "en, ar"),
        (["-o", "o.mp4", "--max-mb", "8"], ".gif"),
        (["-o", "o.mp4", "--captions", "o.srt"], "--transcript"),
        (["-o", "o.mp4", "--captions", "o.doc", "--transcript", "line.txt"], ".vtt"),
        (["-o", "o.mp4", "--crop", "9:16", "--size", "480x270"], "480x270"),
    ],
)
def test_mistakes_name_what_is_possible_and_leave_nothing(tmp_path, inputs, capsys, monkeypatch, options, message):
    monkeypatch.chdir(tmp_path)
    before = sorted(tmp_path.rglob("*"))
    assert main(["render", *inputs, "--consent", "self", "--num-inference-steps", "1", *options]) == 2
    assert message in capsys.readouterr().err
    assert sorted(tmp_path.rglob("*")) == before


def test_a_batch_writes_the_new_formats(tmp_path, inputs, caplog):
    caplog.set_level(logging.ERROR)
    lines = [
        "id,portrait,voice,transcript,outputs,size,crop,num_inference_steps",
        "one,ada.png,line.wav,line.txt,gif webm vtt csv,480,9:16,1",
    ]
    (tmp_path / "shots.csv").write_text("\n".join(lines))
    assert main(["batch", str(tmp_path / "shots.csv"), "-o", str(tmp_path / "out")]) == 0
    names = {path.name for path in (tmp_path / "out").iterdir()} - {".batch"}
    assert names == {"one.gif", "one.webm", "one.c2pa", "one.vtt", "one.csv", "index.html"}
    assert probe(tmp_path / "out" / "one.gif").size == (270, 480)
    assert read_credentials(tmp_path / "out" / "one.webm").state == "trusted"
