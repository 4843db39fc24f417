"""Motion as an asset: round trips through every format, and what foreign files need."""

import csv
from dataclasses import replace

import numpy as np
import pytest

from animate.channels import BLENDSHAPES, CHANNELS
from animate.errors import MotionError
from animate.motion.files import load_motion, save_motion
from animate.types import Motion


def lively(duration_s=2.3, fps=50.0) -> Motion:
    rest = Motion.rest(duration_s, fps)
    rng = np.random.default_rng(3)
    values = rng.random(rest.values.shape, dtype=np.float32)
    values[:, len(BLENDSHAPES) :] = rng.normal(0, 5, (len(values), 6))
    return replace(rest, values=values)


@pytest.mark.parametrize("suffix", [".npz", ".json"])
@pytest.mark.parametrize("fps", [50.0, 24000 / 1001])
def test_exact_formats_lose_nothing(tmp_path, suffix, fps):
    motion = replace(lively(fps=fps), duration_s=2.3049)
    loaded = load_motion(save_motion(motion, tmp_path / f"m{suffix}"))
    assert np.array_equal(loaded.values, motion.values)
    assert (loaded.fps, loaded.duration_s) == (motion.fps, motion.duration_s)


@pytest.mark.parametrize("duration_s, fps", [(2.3, 50.0), (0.3, 50.0), (3.0, 30000 / 1001), (1.0, 60.0)])
def test_live_link_files_keep_nine_digits(tmp_path, duration_s, fps):
    motion = lively(duration_s, fps)
    loaded = load_motion(save_motion(motion, tmp_path / "m.csv"))
    assert loaded.fps == pytest.approx(fps, abs=1e-9) and len(loaded) == len(motion)
    assert np.allclose(loaded.values, motion.values, rtol=1e-6, atol=1e-6)


def test_live_link_columns_are_those_of_the_app(tmp_path):
    looking = Motion.rest(1.0, 50).with_channels(eyeLookOutLeft=0.5, eyeLookInRight=0.5, headPitch=10.0, jawOpen=0.25)
    path = save_motion(looking, tmp_path / "m.csv")
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    titles = list(rows[0])
    assert titles[:3] == ["Timecode", "BlendShapeCount", "EyeBlinkLeft"]
    assert titles.index("JawRight") < titles.index("JawLeft") < titles.index("JawOpen")
    assert titles[54:57] == ["HeadYaw", "HeadPitch", "HeadRoll"]
    assert rows[0]["BlendShapeCount"] == "61" and rows[-1]["Timecode"] == "00:00:00:49.000"
    assert float(rows[0]["JawOpen"]) == 0.25
    assert float(rows[0]["HeadPitch"]) == pytest.approx(-np.radians(10))
    assert float(rows[0]["LeftEyeYaw"]) == pytest.approx(np.radians(15)) == pytest.approx(float(rows[0]["RightEyeYaw"]))


def recorded(frames, fps=60) -> str:
    """A take as the app writes it: time of day, fractions of frames, a frame lost here and there."""
    lines = ["Timecode,BlendshapeCount,JawOpen,HeadYaw,HeadPitch,HeadRoll"]
    for frame in frames:
        second, within = divmod(frame, fps)
        lines.append(f"09:41:{int(second):02d}:{within:06.3f},61,{frame / 1000:.6f},0.1,0.2,0")
    return "\n".join(lines)


def test_lost_frames_of_a_recording_are_filled_in(tmp_path):
    path = tmp_path / "take.csv"
    path.write_text(recorded([frame + 0.25 for frame in range(180) if frame not in (40, 41, 100)]))
    motion = load_motion(path)
    assert (motion.fps, len(motion)) == (60, 180)
    assert np.allclose(np.diff(motion["jawOpen"]), 0.001, atol=1e-5)
    assert motion["headYaw"][0] == pytest.approx(np.degrees(0.1), rel=1e-5)
    assert motion["headPitch"][0] == pytest.approx(-np.degrees(0.2), rel=1e-5)


def test_the_rate_of_a_recording_is_counted_or_told(tmp_path):
    path = tmp_path / "take.csv"
    path.write_text(recorded(range(90), fps=30))
    assert load_motion(path).fps == 30
    path.write_text(recorded(range(20), fps=30))
    assert load_motion(path).fps == 60
    assert load_motion(path, fps=30).fps == 30


def test_channels_that_a_file_leaves_out_rest(tmp_path):
    path = tmp_path / "m.json"
    path.write_text(
        '{"format": "animate.motion", "fps": 50, "duration_s": 0.04, "channels": ["jawOpen"], "values": [[0.5], [1]]}'
    )
    motion = load_motion(path)
    assert motion["jawOpen"].tolist() == [0.5, 1.0]
    assert not np.delete(motion.values, CHANNELS.index("jawOpen"), axis=1).any()


@pytest.mark.parametrize(
    "name, content, message",
    [
        ("m.npz", b"PK nonsense", "not a motion"),
        ("m.json", b"{}", "not a motion"),
        ("m.json", b"[1]", "not a motion"),
        ("m.csv", b"a,b\n1,2\n", "Live Link Face"),
        ("m.csv", b"Timecode,JawOpen\nnoon,0\n", "noon"),
        ("m.csv", b"Timecode,JawOpen\n00:00:00:01,0\n00:00:00:00,0\n", "do not rise"),
        ("m.csv", b"Timecode,JawOpen\n00:00:00:01,wide\n", "cannot be read"),
        ("m.bvh", b"", "Use .npz, .json, .csv"),
        (
            "m.json",
            b'{"format": "animate.motion", "fps": 50, "duration_s": 1, "channels": ["jawOpne"], "values": [[1]]}',
            "'jawOpen'",
        ),
    ],
)
def test_what_is_not_a_motion_is_refused(tmp_path, name, content, message):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(MotionError, match=message):
        load_motion(tmp_path / name)


def test_a_file_that_cannot_be_written_leaves_nothing(tmp_path):
    (tmp_path / "m.npz").mkdir()
    with pytest.raises(MotionError, match="could not be written"):
        save_motion(lively(), tmp_path / "m.npz")
    assert [path.name for path in tmp_path.iterdir()] == ["m.npz"]
