"""A face in a video becomes a motion: films made by our own renderer, whose motion is known, are tracked back."""

import imageio_ffmpeg
import numpy as np
import pytest
import skimage.data

from animate import track
from animate.channels import CHANNELS, HEAD, INDEX
from animate.cli import main
from animate.errors import MediaError, TrackingError
from animate.interchange import load_motion
from animate.media import probe, read_frames
from animate.motion import lip_gap
from animate.motion.lids import blink_shape
from animate.portrait import portrait_from_image
from animate.renderer import MeshRenderer
from animate.renderer.head import HeadFrame, head_rotation
from animate.tracking import track_video
from animate.tracking.calibrate import calibrate
from animate.tracking.follow import follow
from animate.tracking.head import turns
from animate.tracking.solve import MEASURES
from animate.tracking.steady import without_jitter
from animate.train.measures import best_lag, correlation
from animate.types import Motion

FPS, SECONDS, BLINKS_S, CLOSED_S, BLANK = 25, 2.4, (0.52, 1.72), 1.0, slice(30, 38)


def write_film(path, frames, fps=FPS):
    writer = imageio_ffmpeg.write_frames(
        str(path), frames[0].shape[1::-1], fps=fps, quality=9, macro_block_size=1, ffmpeg_log_level="error"
    )
    writer.send(None)
    for frame in frames:
        writer.send(np.ascontiguousarray(frame))
    writer.close()
    return path


@pytest.fixture(scope="module")
def played():
    """What the face in the film does: it talks, shuts its lips once, blinks twice, and turns its head."""
    times = np.arange(round(SECONDS * FPS)) / FPS
    talk = 0.5 - 0.5 * np.cos(2 * np.pi * 2.5 * times)
    talk *= np.abs(times - CLOSED_S) > 0.1
    lids = np.maximum(*(blink_shape(times, onset_s) for onset_s in BLINKS_S))
    return Motion.rest(SECONDS, FPS).with_channels(
        jawOpen=0.35 * talk, mouthSmileLeft=0.3 * talk, mouthSmileRight=0.3 * talk, eyeBlinkLeft=lids,
        eyeBlinkRight=lids, headYaw=10 * np.sin(2 * np.pi * 0.6 * times), headPitch=5 * np.sin(2 * np.pi * 0.9 * times),
    )  # fmt: skip


@pytest.fixture(scope="module")
def renderer():
    return MeshRenderer(portrait_from_image(skimage.data.astronaut()[:300, 80:380]))


@pytest.fixture(scope="module")
def frames(renderer, played):
    return list(renderer.frames(played))


@pytest.fixture(scope="module")
def film(frames, tmp_path_factory):
    return write_film(tmp_path_factory.mktemp("film") / "driver.mp4", frames)


@pytest.fixture(scope="module")
def tracking(film):
    return track_video(film)


@pytest.fixture
def still(tmp_path, frames):
    return write_film(tmp_path / "short.mp4", frames[:5])


def test_the_lips_move_as_they_were_played(tracking, played):
    found = tracking.motion.resampled(FPS)
    assert correlation(lip_gap(found), lip_gap(played)) > 0.95
    assert best_lag(lip_gap(found), lip_gap(played), 4)[1] == 0
    closed = round(CLOSED_S * FPS)
    assert lip_gap(found)[closed] < 0.03 < lip_gap(found)[closed - 5 : closed + 6].max()


def test_every_blink_is_found_and_shuts_the_eye(tracking, played):
    for lid in ("eyeBlinkLeft", "eyeBlinkRight"):
        found = tracking.motion.resampled(FPS)[lid]
        assert correlation(found, played[lid]) > 0.9
        assert best_lag(found, played[lid], 3)[1] == 0
        assert [found[round(onset_s * FPS)] > 0.8 for onset_s in BLINKS_S] == [True, True]


@pytest.mark.parametrize("angle, gain, least", [("headYaw", 0.25, 0.97), ("headPitch", 0.35, 0.93)])
def test_the_head_turns_as_it_was_played(tracking, played, angle, gain, least):
    # MediaPipe tips back a head whose jaw opens, as real heads do; what is played here does not
    found = tracking.motion.resampled(FPS)[angle]
    assert correlation(found, played[angle]) > least
    assert best_lag(found, played[angle], 4)[1] == 0
    assert np.std(found) / np.std(played[angle]) == pytest.approx(1, abs=gain)


def test_blinks_do_not_nod_the_head(tmp_path, renderer, played):
    calm = played.with_channels(jawOpen=0, mouthSmileLeft=0, mouthSmileRight=0)
    found = track(write_film(tmp_path / "calm.mp4", list(renderer.frames(calm)))).resampled(FPS)
    assert correlation(found["headPitch"], played["headPitch"]) > 0.97


def test_a_head_that_rests_askew_turns_about_its_own_axes():
    def turned(rest, angles):
        frame = HeadFrame(np.zeros(3), rest.T, 1.0)
        row = np.zeros(len(CHANNELS))
        row[[INDEX[name] for name in HEAD[:3]]] = angles
        return head_rotation(row, frame) @ rest

    rest, angles = turned(np.eye(3), (10, -25, 8)), np.array([[12, 15, -9], [-8, -20, 4]])
    poses = np.array([turned(rest, each) for each in angles])
    assert np.allclose(turns(poses, rest), angles, atol=1e-3)
    assert not np.allclose(turns(poses, np.eye(3)) - (10, -25, 8), angles, atol=0.5)


def test_eyes_that_never_open_are_shut_throughout():
    measures = np.random.default_rng(0).normal(0, 1e-3, (50, len(MEASURES)))
    channels = calibrate(measures)
    assert np.isfinite(channels).all()
    assert channels[:, INDEX["eyeBlinkLeft"]].min() > 0.9


def test_the_motion_is_as_long_as_the_film_and_says_what_was_seen(tracking, film):
    assert tracking.motion.duration_s == pytest.approx(probe(film).duration_s, abs=0.5 / FPS)
    assert tracking.motion.fps == 50
    assert (tracking.num_frames, tracking.num_tracked, tracking.gaps_s) == (60, 60, ())


def test_frames_come_at_the_rate_that_is_asked_for(film):
    every = list(read_frames(film))
    assert all(map(np.array_equal, read_frames(film, fps=FPS / 2), every[::2]))
    assert len(list(read_frames(film, fps=2 * FPS))) == 2 * len(every)


def test_a_gap_is_bridged_and_reported(tmp_path, frames, tracking):
    blanked = [np.full_like(frame, 128) if BLANK.start <= t < BLANK.stop else frame for t, frame in enumerate(frames)]
    bridged = track_video(write_film(tmp_path / "gap.mp4", blanked))
    ((start_s, stop_s),) = bridged.gaps_s
    assert start_s * FPS == BLANK.start and BLANK.stop <= stop_s * FPS < BLANK.stop + 5
    assert f"gaps bridged at {start_s:.2f}" in bridged.summary()
    steps = np.abs(np.diff(bridged.motion["headYaw"]))
    assert steps.max() < 1.5 * np.abs(np.diff(tracking.motion["headYaw"])).max()


def test_the_face_that_was_asked_for_is_followed(frames):
    pairs = [np.hstack([frames[0], frame]) for frame in frames[:8]]
    middles = {face: [mesh[:, 0].mean() for mesh in follow(pairs, face)] for face in (1, 2)}
    width = frames[0].shape[1]
    assert max(middles[1]) < width < min(middles[2])
    assert np.ptp(middles[1]) < 1 < np.ptp(middles[2])  # only the second one turns
    with pytest.raises(TrackingError, match="at most 2"):
        list(follow(pairs[:1], 3))


def test_a_film_without_a_face_is_refused(tmp_path):
    rng = np.random.default_rng(0)
    noise = [rng.integers(0, 255, (288, 360, 3), np.uint8) for _ in range(6)]
    with pytest.raises(TrackingError, match="No face found in noise.mp4"):
        track(write_film(tmp_path / "noise.mp4", noise))


def test_what_is_no_film_of_some_length_is_refused(tmp_path, still, capsys):
    with pytest.raises(TrackingError, match="seen in 5 frames"):
        track(still)
    skimage.io.imsave(tmp_path / "picture.png", skimage.data.astronaut())
    with pytest.raises(TrackingError, match="is a picture"):
        track(tmp_path / "picture.png")
    (tmp_path / "broken.mp4").write_bytes(b"not a video")
    with pytest.raises(MediaError, match="broken.mp4"):
        track(tmp_path / "broken.mp4")
    assert main(["track", str(tmp_path / "nobody.mp4"), "-o", str(tmp_path / "m.npz")]) == 2
    assert "nobody.mp4" in capsys.readouterr().err
    assert not (tmp_path / "m.npz").exists()


def test_the_command_writes_the_motion_and_says_what_it_saw(tmp_path, frames, capsys):
    film = write_film(tmp_path / "me.mp4", frames[:12])
    assert main(["track", str(film), "-o", str(tmp_path / "m.npz")]) == 0
    out, err = capsys.readouterr()
    assert out.strip() == str(tmp_path / "m.npz") and "followed in 100.0%" in err
    assert np.array_equal(load_motion(tmp_path / "m.npz").values, track(film).values)


@pytest.mark.parametrize("fps", [24, 30, 60])
def test_jitter_goes_without_lag_and_blinks_stay(fps):
    times = np.arange(4 * fps) / fps
    clean = np.stack([blink_shape(times, 2.0), 8 * np.sin(2 * np.pi * 0.5 * times)], axis=1)
    noise = np.random.default_rng(0).normal(0, (0.01, 0.15), clean.shape)
    steady = without_jitter(clean + noise, fps)
    assert steady[2 * fps, 0] > 0.95
    assert best_lag(steady[:, 1], clean[:, 1], 4)[1] == 0
    assert np.std(steady - clean, axis=0)[1] < 0.8 * np.std(noise, axis=0)[1]


def test_a_person_is_driven_by_their_own_film(shared):
    path = shared / "video/grid_lbax4n.mpg"
    frames = list(read_frames(path))
    motion = track(path).resampled(FPS)
    original = np.array(list(follow(frames)))
    calm = int(lip_gap(motion).argmin())
    head = [INDEX[name] for name in HEAD]
    rows = motion.values.copy()
    rows[:, head] -= rows[calm, head]
    renderer = MeshRenderer(portrait_from_image(frames[calm]))
    shown = np.array(list(follow(renderer.draw(row) for row in rows)))
    gaps = [np.linalg.norm(meshes[:, 14, :2] - meshes[:, 13, :2], axis=1) for meshes in (original, shown)]
    assert correlation(*gaps) > 0.95 and best_lag(gaps[1], gaps[0], 4)[1] == 0
