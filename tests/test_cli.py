"""The command line in its own process, as a user meets it."""

import json
import subprocess
import sys

import numpy as np
import pytest
import skimage.data
import soundfile
from PIL import Image

from animate.cli.app import _parsed, _parser, main


def run(*arguments, cwd=None):
    command = [sys.executable, "-m", "animate.cli", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, cwd=cwd)


@pytest.fixture
def inputs(tmp_path):
    picture, voice = tmp_path / "portrait.png", tmp_path / "voice.wav"
    Image.fromarray(skimage.data.astronaut()[:300, 80:380]).save(picture)
    times = np.arange(12000) / 16000
    soundfile.write(voice, 0.3 * np.sin(2 * np.pi * 150 * times) * np.sin(2 * np.pi * 3 * times), 16000)
    return picture, voice


def test_render_writes_a_video_that_verifies(tmp_path, inputs):
    done = run("render", *inputs, "-o", tmp_path / "out.mp4", "--fps", 30, "--num-inference-steps", 2)
    assert done.returncode == 0, done.stderr
    assert "--consent" in done.stderr
    assert done.stdout.strip() == str(tmp_path / "out.mp4")
    assert "Traceback" not in done.stderr
    verdict = run("verify", "--json", tmp_path / "out.mp4")
    assert verdict.returncode == 0
    assert json.loads(verdict.stdout)["marked"] is True


def test_verify_says_no_to_the_inputs(inputs):
    done = run("verify", inputs[0])
    assert done.returncode == 1
    assert "no mark" in done.stdout


def test_verify_goes_on_after_a_broken_file(tmp_path, inputs):
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(b"not a video")
    done = run("verify", broken, inputs[0])
    assert done.returncode == 2
    assert "broken.mp4" in done.stderr and "Traceback" not in done.stderr
    assert str(inputs[0]) in done.stdout


@pytest.mark.parametrize(
    "change, message",
    [
        ({"portrait": "nobody.jpg"}, "nobody.jpg"),
        ({"voice": "silence.wav"}, "silence.wav"),
        ({"output": "missing/folder/out.mp4"}, "folder"),
        ({"output": "out.docx"}, "mp4"),
        ({"options": ["--fps", "often"]}, "often"),
        ({"output": "out"}, "suffix"),
        ({"output": 300 * "o" + ".mp4"}, "too long"),
        ({"output": "portrait.png"}, "written over"),
        ({"options": ["-o", "./out.mp4"]}, "twice"),
        ({"options": ["--save-motion", "out.mp4"]}, "twice"),
        ({"options": ["--config", "flim"]}, "draft, film"),
        ({"options": ["--device", "abacus"]}, "abacus"),
        ({"options": ["--transcript", "said.txt"]}, "--captions"),
        ({"options": ["--label-language", "xx"]}, "'xx'"),  # also where no label is shown
        ({"options": ["--checkpoint", "nowhere"]}, "nowhere"),
        ({"options": ["--detector", "crystal-ball"]}, "crystal-ball"),
        ({"options": ["--consent", "permision:12"]}, "permission"),
        ({"options": ["--consent", "permission"]}, "reference"),
        ({"options": ["--direction", "nowhere.yaml"]}, "nowhere.yaml"),
    ],
)
def test_a_users_mistake_is_explained_and_leaves_nothing(tmp_path, inputs, capsys, monkeypatch, change, message):
    monkeypatch.chdir(tmp_path)
    before = sorted(tmp_path.rglob("*"))
    portrait, voice = change.get("portrait", str(inputs[0])), change.get("voice", str(inputs[1]))
    rights = ["--consent", "self"]
    output = change.get("output", "out.mp4")
    status = main(["render", portrait, voice, "-o", output, *rights, *change.get("options", [])])
    assert status == 2
    assert message in capsys.readouterr().err
    assert sorted(tmp_path.rglob("*")) == before


def test_doctor_finds_this_installation_complete(capsys):
    assert main(["doctor"]) == 0
    report = capsys.readouterr().out
    assert "torch" in report and "MISSING" not in report


def test_doctor_names_the_cure_for_a_missing_package(monkeypatch, capsys):
    monkeypatch.setattr("animate.doctor._PACKAGES", ("no-such-package",))
    assert main(["doctor"]) == 1
    assert "pip install" in capsys.readouterr().out


def test_bench_prints_each_stage_and_the_floor(capsys):
    assert main(["bench", "--size", "384", "--seconds", "1", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert {"whole job", "motion", "render", "mark", "encode floor"} <= {row["stage"] for row in rows}
    assert all(row["seconds"] > 0 for row in rows)


@pytest.mark.parametrize("arguments", [["--size", "8"], ["--seconds", "0"]])
def test_bench_refuses_impossible_sizes(arguments, capsys):
    assert main(["bench", *arguments]) == 2
    assert "bench takes" in capsys.readouterr().err


def test_a_motion_is_kept_and_performed_again_without_a_voice(tmp_path, inputs):
    kept = tmp_path / "motion.npz"
    first = ["render", *inputs, "-o", tmp_path / "a.mp4", "--save-motion", kept, "--num-inference-steps", "2"]
    assert main([str(argument) for argument in first]) == 0
    before = kept.read_bytes()
    again = ["render", inputs[0], "--motion", kept, "-o", tmp_path / "b.mp4", "--save-motion", tmp_path / "b.csv"]
    assert main([str(argument) for argument in again]) == 0
    assert main(["plot", str(tmp_path / "b.csv"), "-o", str(tmp_path / "curves.png")]) == 0
    assert kept.read_bytes() == before and (tmp_path / "curves.png").stat().st_size > 10_000
    verdicts = [run("verify", "--json", tmp_path / name) for name in ("a.mp4", "b.mp4")]
    ids = {json.loads(verdict.stdout)["mark_id"] for verdict in verdicts}
    assert len(ids) == 1  # the id stands for portrait and motion


@pytest.mark.parametrize(
    "options, message",
    [
        ([], "nothing to perform"),
        (["--motion", "m.bvh"], "m.bvh"),
        (["--motion", "none.npz"], "none.npz"),
        (["--motion", "none.npz", "--emotion", "happy", "--head-motion", "0"], "--emotion, --head-motion"),
        (["--motion", "none.npz", "--direction", "none.yaml"], "none"),
    ],
)
def test_a_render_without_voice_needs_a_motion(tmp_path, inputs, capsys, options, message):
    assert main(["render", str(inputs[0]), "-o", str(tmp_path / "o.mp4"), *options]) == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "o.mp4").exists()


def test_an_impossible_place_for_the_motion_is_refused_before_the_work(tmp_path, inputs, capsys):
    target = ["-o", str(tmp_path / "o.mp4"), "--save-motion", str(tmp_path / "m.fbx")]
    assert main(["render", *map(str, inputs), *target]) == 2
    assert "m.fbx" in capsys.readouterr().err


def test_short_flags_stand_for_settings(capsys):
    options = _parser().parse_args(["render", "a.png", "b.wav", "-o", "c.mp4", "--still", "--gaze", "left"])
    assert (options.head_motion, options.gaze_x_deg, options.gaze_y_deg) == (0.0, -15.0, 0.0)
    with pytest.raises(SystemExit):
        _parser().parse_args(["render", "a.png", "b.wav", "-o", "c.mp4", "--gaze", "lft"])
    assert "Did you mean 'left'?" in capsys.readouterr().err


def test_the_voice_may_stand_behind_an_option(capsys):
    assert _parsed(["render", "a.png", "-o", "c.mp4", "b.wav"]).voice == "b.wav"
    for line in (["render", "a.png", "b.wav", "-o", "c.mp4", "d.wav"], ["plot", "m.csv", "-o", "c.png", "b.wav"]):
        with pytest.raises(SystemExit):
            _parsed(line)
        assert "unrecognized arguments" in capsys.readouterr().err


def test_log_find_knows_what_an_id_looks_like(capsys):
    assert main(["log", "find", "0123456789ab"]) == 1
    assert "Nothing is known" in capsys.readouterr().err
    assert main(["log", "find", "0123"]) == 2
    assert "12 hex digits" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["render", "revive", "performances", "track"])
def test_faces_are_asked_for_in_the_same_way(capsys, command):
    with pytest.raises(SystemExit):
        _parser().parse_args([command, "club.jpg", "-o", "out.png", "--face", "0"])
    assert "as `faces` shows" in capsys.readouterr().err
    assert _parser().parse_args([command, "club.jpg", "-o", "out.png", "--face", "2"]).face == 2


def test_verbose_may_stand_before_and_behind_the_command():
    line = ["revive", "ada.jpg", "-o", "out.mp4"]
    assert not _parser().parse_args(line).verbose
    assert _parser().parse_args(["--verbose", *line]).verbose and _parser().parse_args([*line, "--verbose"]).verbose


def test_restoration_speaks_of_what_it_did_and_on_request_of_the_rest(tmp_path, inputs, capsys):
    arguments = ["revive", str(inputs[0]), "-o", str(tmp_path / "out.png"), "--seconds", "2", "--consent", "self"]
    assert main(arguments) == 0
    assert "left" not in capsys.readouterr().err
    assert main([*arguments, "--verbose"]) == 0
    assert "left" in capsys.readouterr().err
