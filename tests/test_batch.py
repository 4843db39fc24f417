"""Batches: lists are checked whole, shots are rendered once, and no death leaves work to do by hand."""

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import skimage.data
import soundfile
from PIL import Image

from animate.batch.crew import perform_all
from animate.batch.ledger import Ledger
from animate.batch.portraits import prepared
from animate.batch.report import table, write_page
from animate.batch.run import FAILED, KEPT, RENDERED, run_batch
from animate.batch.shots import read_shots
from animate.cli import main
from animate.errors import BatchError, CheckpointError

COUNT = 4


@pytest.fixture
def material(tmp_path):
    """A folder with a portrait, a voice, a direction and a list of four shots."""
    Image.fromarray(skimage.data.astronaut()[:300, 80:380]).save(tmp_path / "ada.png")
    soundfile.write(tmp_path / "line.wav", 0.3 * np.sin(np.arange(6400) / 10), 16000)
    (tmp_path / "scene.yaml").write_text("smile: 0.3\n")
    rows = [f"s{number},ada.png,line.wav,scene.yaml,{number}" for number in range(COUNT)]
    (tmp_path / "shots.csv").write_text("\n".join(["id,portrait,voice,direction,seed", *rows]))
    return tmp_path


class QuickPerformer:
    """Writes a word where the real one renders, notes who did what, and does as the voice's folder tells."""

    def __init__(self, ledger, checkpoint, device, threads):
        self.ledger = ledger

    def __call__(self, shot):
        home = shot.voice.parent
        with (home / "log").open("a") as log:
            log.write(f"{shot.id} {os.getpid()}\n")
        if (home / "slow").exists():
            time.sleep(0.4)
        if (home / f"fail-{shot.id}").exists():
            raise ZeroDivisionError("by zero")
        if (home / f"die-{shot.id}").exists():
            os.kill(os.getpid(), signal.SIGKILL)
        if (home / f"die-once-{shot.id}").exists():
            (home / f"die-once-{shot.id}").unlink()
            os.kill(os.getpid(), signal.SIGKILL)
        folder = self.ledger.work / shot.id
        folder.mkdir()
        draft = folder / f"{shot.id}.mp4"
        draft.write_text(f"{shot.id} {shot.config.seed}")
        facts = {"duration_s": 1.0, "render_s": 0.0, "marked": True}
        return self.ledger.deliver(shot, self.ledger.signature(shot), [draft], facts)


def run(material, workers=2):
    return run_batch(material / "shots.csv", material / "out", workers=workers, make_performer=QuickPerformer)


def states(outcomes):
    return [outcome.state for outcome in outcomes]


def performed(material):
    return sorted(line.split()[0] for line in (material / "log").read_text().splitlines())


def test_a_second_run_keeps_everything_and_a_change_renders_its_shots_only(material):
    assert states(run(material)) == [RENDERED] * COUNT
    assert states(run(material)) == [KEPT] * COUNT
    (material / "out" / "s1.mp4").write_text("tampered")
    (material / "out" / "s2.mp4").unlink()
    shots = material / "shots.csv"
    shots.write_text(shots.read_text().replace("yaml,3", "yaml,33"))
    assert states(run(material)) == [KEPT, RENDERED, RENDERED, RENDERED]
    assert (material / "out" / "s3.mp4").read_text() == "s3 33"
    (material / "scene.yaml").write_text("smile: 0.5\n")
    # this process has read the old one: a new one sees the change, as a new run does
    probe = f"import test_batch; print(*test_batch.states(test_batch.run(test_batch.Path({str(material)!r}))))"
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, cwd=Path(__file__).parent)
    assert done.stdout.split() == [RENDERED] * COUNT, done.stderr


def test_a_failed_shot_stops_no_other_and_says_why(material):
    (material / "fail-s1").touch()
    outcomes = run(material, workers=1)
    assert states(outcomes) == [RENDERED, FAILED, RENDERED, RENDERED]
    assert "by zero" in outcomes[1].reason
    (material / "fail-s1").unlink()
    assert states(run(material)) == [KEPT, RENDERED, KEPT, KEPT]


def test_a_worker_that_is_killed_is_replaced_and_its_shot_done_again(material):
    (material / "die-once-s0").touch()
    assert states(run(material)) == [RENDERED] * COUNT
    assert performed(material) == ["s0", "s0", "s1", "s2", "s3"]


def test_a_shot_that_kills_its_workers_fails_alone(material):
    (material / "die-s2").touch()
    outcomes = run(material)
    assert states(outcomes) == [RENDERED, RENDERED, FAILED, RENDERED]
    assert "died" in outcomes[2].reason


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGINT])
def test_a_run_that_is_ended_leaves_nothing_to_clean_and_no_shot_is_done_twice(material, end):
    (material / "slow").touch()
    heeded = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)"  # what runs behind ignores it
    code = f"{heeded}; import test_batch; test_batch.run(test_batch.Path({str(material)!r}), 1)"
    leader = subprocess.Popen([sys.executable, "-c", code], cwd=Path(__file__).parent)
    while not list((material / "out" / ".batch" / "done").glob("*.json")):
        assert leader.poll() is None
        time.sleep(0.02)
    leader.send_signal(end)
    assert leader.wait() != 0
    assert end == signal.SIGKILL or not (material / "out" / ".batch" / "work").exists()
    worker = int((material / "log").read_text().split()[1])
    for _ in range(200):
        if not Path(f"/proc/{worker}").exists():
            break
        time.sleep(0.05)
    assert not Path("/proc/self").exists() or not Path(f"/proc/{worker}").exists()  # it ended with its leader
    (material / "out" / ".batch" / "work" / "half").mkdir(parents=True)
    finished = {path.stem for path in (material / "out" / ".batch" / "done").glob("*.json")}
    outcomes = run(material)
    assert {outcome.shot.id for outcome in outcomes if outcome.state == KEPT} == finished
    assert FAILED not in states(outcomes)
    assert sorted(path.name for path in (material / "out").iterdir()) == [
        ".batch",
        *(f"s{n}.mp4" for n in range(COUNT)),
    ]
    assert not (material / "out" / ".batch" / "work").exists()
    assert all(performed(material).count(shot) == 1 for shot in finished)


def test_a_missing_checkpoint_and_no_workers_are_refused_at_once(material):
    with pytest.raises(CheckpointError, match="nowhere"):
        run_batch(material / "shots.csv", material / "out", checkpoint=material / "nowhere")
    with pytest.raises(BatchError, match="0 workers"):
        run(material, workers=0)
    with pytest.raises(BatchError, match="nothing.csv"):
        run_batch(material / "nothing.csv", material / "out")
    assert not (material / "out").exists()


def test_the_page_and_the_table_tell_what_failed(material):
    (material / "fail-s1").touch()
    outcomes = run(material)
    page = write_page(outcomes, material / "out").read_text()
    assert page.count("<video") == COUNT - 1 and "by zero" in page
    assert "3 rendered, 0 kept, 1 failed" in table(outcomes) and "by zero" in table(outcomes)


def test_the_page_and_the_table_point_at_figures_that_miss_their_bars(material):
    (outcome, *_) = run(material)
    figures = [("lip gap 7.1 % of eye distance", False), ("folds 0 triangles", True)]
    outcome = replace(outcome, facts={**outcome.facts, "figures": figures})
    assert "look at lip gap 7.1" in table([outcome]) and "folds" not in table([outcome])
    page = write_page([outcome], material / "out").read_text()
    assert 'class="bad">1.0 s' in page and "<small>folds 0 triangles</small>" in page


def test_face_and_restoration_of_a_row_are_those_of_the_portrait(material):
    (material / "shots.csv").write_text(
        "id,portrait,voice,face,restore\na,ada.png,line.wav,1,contrast\nb,ada.png,line.wav,2,\n"
        "c,ada.png,line.wav,,polish\nd,ada.png,line.wav,left,\n"
    )
    with pytest.raises(BatchError) as refused:
        run(material)
    told = str(refused.value).splitlines()[1:]
    assert [line.split(":")[0].strip() for line in told] == ["row 3", "row 4", "row 5"]
    assert "no face 2" in told[0] and "'polish'" in told[1] and "'left'" in told[2]
    (material / "shots.csv").write_text("id,portrait,voice,face,restore\na,ada.png,line.wav,1,contrast\n")
    (shot,) = read_shots(material / "shots.csv")
    assert (shot.face, shot.restore) == (1, "contrast")
    ledger = Ledger(material / "out", "")
    assert ledger.signature(shot) != ledger.signature(replace(shot, face=None))
    assert ledger.signature(shot) != ledger.signature(replace(shot, restore="off"))


def test_a_prepared_portrait_is_kept_for_its_face_and_restoration(material):
    faded = (np.asarray(Image.open(material / "ada.png")) // 2 + 50).astype(np.uint8)
    Image.fromarray(faded).save(material / "faded.png")
    kept = material / "kept"
    kept.mkdir()
    first = prepared(material / "faded.png", None, "off", folder=kept)
    again = prepared(material / "faded.png", None, "off", folder=kept)
    assert (
        len(list(kept.iterdir())) == 1
        and np.array_equal(again.matte, first.matte)
        and again.face.pose == first.face.pose
    )
    restored = prepared(material / "faded.png", None, "contrast", folder=kept)
    assert np.ptp(restored.image.astype(int)) > np.ptp(faded.astype(int)) and np.array_equal(restored.original, faded)


def test_two_batches_do_not_share_a_folder(material):
    with Ledger(material / "out", "").opened(), pytest.raises(BatchError, match="Another batch"):
        run(material)


def test_lists_of_every_kind_say_the_same(material):
    expected = read_shots(material / "shots.csv")
    rows = [
        {"id": f"s{n}", "portrait": "ada.png", "voice": "line.wav", "direction": "scene.yaml", "seed": n}
        for n in range(COUNT)
    ]
    (material / "shots.jsonl").write_text("\n".join(map(json.dumps, rows)))
    (material / "shots.yaml").write_text(json.dumps(rows))
    for name in ("shots.jsonl", "shots.yaml"):
        shots = read_shots(material / name)
        assert [(shot.id, shot.portrait, shot.config) for shot in shots] == [
            (shot.id, shot.portrait, shot.config) for shot in expected
        ]
    assert expected[0].row == 2 and expected[3].config.seed == 3


def test_all_mistakes_are_listed_with_their_rows(material):
    (material / "empty.wav").write_bytes(b"")
    Image.new("RGB", (200, 200)).save(material / "nobody.png")
    (material / "wrong.yaml").write_text("smlie: 1")
    lines = [
        "id,portrait,voice,direction,seed,emotion,outputs",
        "a,ada.png,line.wav,,0,,mp4",
        "a,ada.png,line.wav,,,,",
        "b,gone.png,gone.wav,,,,",
        "c,nobody.png,line.wav,,,,",
        "d,ada.png,empty.wav,,,,",
        "e,ada.png,line.wav,wrong.yaml,,,",
        "f,ada.png,line.wav,,-1,,",
        "g,ada.png,line.wav,,,hapy,",
        "h,ada.png,line.wav,,,,mp3",
        "../i,ada.png,line.wav,,,,",
        "j,ada.png,line.wav,,,,,7",
        ",ada.png,,,,,",
    ]
    (material / "shots.csv").write_text("\n".join(lines))
    with pytest.raises(BatchError) as caught:
        run(material)
    message = str(caught.value)
    for row, word in [
        (3, "row 2"), (4, "gone.png"), (4, "gone.wav"), (5, "nobody.png"), (6, "empty.wav"), (7, "'smile'"),
        (8, "seed"), (9, "'happy'"), (10, "'mp3'"), (11, "../i"), (12, "'7'"), (13, "id is missing"),
        (13, "voice is missing"),
    ]:  # fmt: skip
        assert any(line.startswith(f"  row {row}:") and word in line for line in message.splitlines()), (row, word)
    assert "row 2:" not in message
    assert not (material / "log").exists()


def test_a_row_performs_without_a_voice_or_speaks_but_not_both(material):
    lines = [
        "id,portrait,voice,performance,seconds,loop",
        "a,ada.png,,wink,2,true",
        "b,ada.png,line.wav,,,",
        "c,ada.png,,wnk,2,",
        "d,ada.png,line.wav,wink,,",
        "e,ada.png,,wink,1,",
        "f,ada.png,line.wav,,3,",
        "g,ada.png,,wink,,often",
    ]
    (material / "shots.csv").write_text("\n".join(lines))
    with pytest.raises(BatchError) as caught:
        read_shots(material / "shots.csv")
    message = str(caught.value)
    for row, word in [(4, "'wink'"), (5, "voice is for a voice"), (6, "seconds"), (7, "leave it out"), (8, "'often'")]:
        assert any(line.startswith(f"  row {row}:") and word in line for line in message.splitlines()), (row, word)
    (material / "shots.csv").write_text("\n".join(lines[:3]))
    acted, spoken = read_shots(material / "shots.csv")
    assert (acted.voice, acted.performance, acted.seconds, acted.loop, acted.restore) == (
        None,
        "wink",
        2.0,
        True,
        "auto",
    )
    assert (spoken.performance, spoken.restore) == (None, "off")


def test_a_performance_is_rendered_like_any_shot(material):
    (material / "shots.csv").write_text("id,portrait,performance,seconds,outputs\na,ada.png,nod-yes,2,gif")
    (outcome,) = run_batch(material / "shots.csv", material / "out")
    assert outcome.state == RENDERED, outcome.reason
    assert outcome.facts["duration_s"] == 2.0 and outcome.facts["marked"]
    assert "nod-yes" in write_page([outcome], material / "out").read_text()


def test_transcripts_are_checked_before_the_first_shot(material, monkeypatch):
    monkeypatch.setitem(sys.modules, "pocketsphinx", None)
    (material / "line.txt").write_text("never say never")
    (material / "scene.yaml").write_text("blink: [on never]")
    (material / "noise.txt").write_bytes(b"\xff\xfe\x00")
    lines = [
        "id,portrait,voice,direction,transcript",
        "a,ada.png,line.wav,scene.yaml,line.txt",
        "b,ada.png,line.wav,,line.txt",
        "c,ada.png,line.wav,scene.yaml,noise.txt",
    ]
    (material / "shots.csv").write_text("\n".join(lines))
    with pytest.raises(
        BatchError, match=r"(?s)row 2: pocketsphinx.*row 3: a transcript is for captions and.*row 4: .*UTF-8"
    ):
        run(material)


@pytest.mark.parametrize(
    "name, text, message",
    [
        ("shots.txt", "", "no shot list"),
        ("shots.jsonl", "{", "cannot be read"),
        ("shots.yaml", "a: 1", "holds no list"),
        ("shots.yaml", "- 5", "row 1"),
        ("shots.csv", "id,portrait,voice\n", "lists no shot"),
        ("shots.csv", "id,portrait,vioce\nx,ada.png,line.wav\n", "'voice'"),
    ],
)
def test_what_is_no_list_is_refused(material, name, text, message):
    (material / name).write_text(text)
    with pytest.raises(BatchError, match=message):
        read_shots(material / name)


def test_jobs_end_in_any_order_and_all_of_them_end():
    results = {index: result for index, result, _ in perform_all(Doubler, (3,), range(7), 3)}
    assert results == {index: 3 * index for index in range(7)}


class Doubler:
    def __init__(self, factor):
        self.factor = factor

    def __call__(self, job):
        return self.factor * job


def test_a_real_batch_renders_marked_videos_and_motions(material, capsys):
    lines = ["id,portrait,voice,seed,num_inference_steps,outputs", "one,ada.png,line.wav,1,1,mp4 csv"]
    (material / "shots.csv").write_text("\n".join(lines))
    command = ["batch", str(material / "shots.csv"), "-o", str(material / "out")]
    assert main(command) == 0
    assert "1 rendered" in capsys.readouterr().out
    assert main(["verify", str(material / "out" / "one.mp4")]) == 0
    assert (material / "out" / "one.csv").exists() and 'src="one.mp4"' in (material / "out" / "index.html").read_text()
    before = (material / "out" / "one.mp4").stat().st_mtime_ns
    assert main(command) == 0
    assert "1 kept" in capsys.readouterr().out
    assert (material / "out" / "one.mp4").stat().st_mtime_ns == before
