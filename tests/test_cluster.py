"""The same batches on a real Ray cluster of two nodes, and copied to other storage."""

import json
import os
import signal
from pathlib import Path

import numpy as np
import pytest
import skimage.data
import soundfile
from PIL import Image

from animate.batch.cluster import RemotePerformer, packed, read_folder, unpacked
from animate.batch.ledger import Ledger
from animate.batch.publish import Publisher
from animate.batch.run import FAILED, KEPT, RENDERED, run_batch
from animate.batch.shots import read_shots
from animate.cli import main
from animate.errors import BatchError
from animate.media import read_frames
from animate.resources import shipped

COUNT = 5


class QuickPerformer:
    """Returns a word where the real one renders, and dies or fails as the voice's name tells."""

    def __init__(self, checkpoint, device):
        self.names = sorted(checkpoint)

    def __call__(self, parcel):
        shot = parcel.shot
        home = Path(os.environ["TEST_CLUSTER_HOME"])
        with (home / "log").open("a") as log:
            log.write(f"{shot.id}\n")
        if (home / f"fail-{shot.id}").exists():
            raise ZeroDivisionError("by zero")
        if (home / f"die-once-{shot.id}").exists():
            (home / f"die-once-{shot.id}").unlink()
            os.kill(os.getpid(), signal.SIGKILL)
        said = f"{shot.id} {shot.config.seed} {len(parcel.contents['voice'])} {'model_index.json' in self.names}"
        return {"duration_s": 1.0, "render_s": 0.0, "marked": True}, {f"{shot.id}.mp4": said.encode()}


@pytest.fixture
def material(tmp_path):
    Image.fromarray(skimage.data.astronaut()[:310, 80:390]).save(tmp_path / "ada.png")
    soundfile.write(tmp_path / "line.wav", 0.3 * np.sin(np.arange(9600) / 10), 16000)
    rows = [f"s{number},ada.png,line.wav,{number},historical" for number in range(COUNT)]
    (tmp_path / "shots.csv").write_text("\n".join(["id,portrait,voice,seed,consent", *rows]))
    return tmp_path


@pytest.fixture
def cluster(tmp_path, monkeypatch):
    """A cluster of two nodes with one processor each; workers find the tests and the folder of this one."""
    cluster_utils = pytest.importorskip("ray.cluster_utils")
    monkeypatch.setenv("TEST_CLUSTER_HOME", str(tmp_path))
    root = Path(__file__).parents[1]
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(root), str(Path(__file__).parent)]))
    cluster = cluster_utils.Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
    cluster.add_node(num_cpus=1)
    yield cluster
    cluster.shutdown()


def run(material, cluster, **options):
    options = {"make_performer": QuickPerformer, "workers": 2, **options}
    return run_batch(material / "shots.csv", material / "out", cluster=cluster.address, **options)


def test_a_voice_that_vanishes_fails_its_shot_alone(material, cluster, monkeypatch):
    from animate.batch import cluster as module

    packed_before = module.packed

    def packed(shot):
        if shot.id == "s0":
            raise FileNotFoundError("line.wav")
        return packed_before(shot)

    monkeypatch.setattr(module, "packed", packed)
    outcomes = run(material, cluster)
    assert [outcome.state for outcome in outcomes] == [FAILED, *[RENDERED] * (COUNT - 1)]
    assert "line.wav" in outcomes[0].reason


def test_a_killed_worker_and_a_failed_shot_cost_nothing_else(material, cluster):
    (material / "die-once-s1").touch()
    (material / "fail-s3").touch()
    outcomes = run(material, cluster)
    assert [outcome.state for outcome in outcomes] == [RENDERED, RENDERED, RENDERED, FAILED, RENDERED]
    assert "by zero" in outcomes[3].reason
    assert sorted((material / "log").read_text().split()) == ["s0", "s1", "s1", "s2", "s3", "s4"]
    size = (material / "line.wav").stat().st_size
    assert (material / "out" / "s1.mp4").read_text() == f"s1 1 {size} True"
    (material / "fail-s3").unlink()
    outcomes = run(material, cluster)
    assert [outcome.state for outcome in outcomes] == [KEPT, KEPT, KEPT, RENDERED, KEPT]


def test_a_shot_rendered_on_a_node_is_the_one_rendered_at_home(material):
    rows = (material / "shots.csv").read_text().splitlines()
    (material / "shots.csv").write_text("\n".join(rows[:2]))
    (shot,) = read_shots(material / "shots.csv")
    facts, outputs = RemotePerformer(read_folder(shipped("checkpoints/base")), "cpu")(packed(shot))
    assert facts["marked"]
    (material / "there.mp4").write_bytes(outputs["s0.mp4"])
    (here,) = run_batch(material / "shots.csv", material / "out")
    assert here.facts["duration_s"] == facts["duration_s"]
    pairs = zip(*(read_frames(material / name) for name in ("out/s0.mp4", "there.mp4")), strict=True)
    assert max(int(np.abs(np.int16(a) - b).max()) for a, b in pairs) == 0


@pytest.mark.parametrize("address", ["ray://127.0.0.1:1", "nonsense"])
def test_a_cluster_that_is_not_there_is_said(material, capsys, address):
    pytest.importorskip("ray")
    status = main(["batch", str(material / "shots.csv"), "-o", str(material / "out"), "--cluster", address])
    assert status == 2 and "cannot be reached" in capsys.readouterr().err


def test_parcels_carry_files_of_the_same_name_apart(material):
    (material / "other").mkdir()
    (material / "ada.png").rename(material / "other" / "line.wav")
    rows = [{"id": "a", "portrait": "other/line.wav", "voice": "line.wav"}]
    (material / "shots.jsonl").write_text("\n".join(map(json.dumps, rows)))
    (shot,) = read_shots(material / "shots.jsonl")
    (material / "node").mkdir()
    arrived = unpacked(packed(shot), material / "node")
    assert arrived.portrait.read_bytes() == shot.portrait.read_bytes()
    assert arrived.voice.read_bytes() == shot.voice.read_bytes() != shot.portrait.read_bytes()


def test_what_was_published_is_not_said_to_be_complete_while_it_is_replaced(material, local_performer):
    url = f"file://{material / 'bucket'}"
    given = {"publish": url, "make_performer": local_performer}
    run_batch(material / "shots.csv", material / "out", **given)
    (material / "shots.csv").write_text((material / "shots.csv").read_text().replace("wav,1", "wav,11"))
    run_batch(material / "shots.csv", material / "out", make_performer=local_performer)
    (material / "out" / "s1.mp4").rename(material / "away")
    with pytest.raises(BatchError):  # the copy breaks off
        Publisher(url).copy(Ledger(material / "out", ""), "s1", {"s1.mp4": ""})
    assert not (material / "bucket" / "done" / "s1.json").exists()
    assert (material / "bucket" / "done" / "s0.json").exists()


def test_finished_shots_are_published_once_and_again_when_they_change(material, local_performer):
    target = material / "bucket"

    def publish():
        return run_batch(
            material / "shots.csv", material / "out", publish=f"file://{target}", make_performer=local_performer
        )

    publish()
    assert sorted(path.name for path in target.glob("*.mp4")) == [f"s{n}.mp4" for n in range(COUNT)]
    (target / "s0.mp4").write_text("looked at there")
    (material / "shots.csv").write_text((material / "shots.csv").read_text().replace("wav,1", "wav,11"))
    publish()
    assert (target / "s0.mp4").read_text() == "looked at there"  # unchanged here, so not copied again
    assert (target / "s1.mp4").read_bytes() == (material / "out" / "s1.mp4").read_bytes()


def test_storage_that_takes_nothing_fails_the_shots_and_says_so(material, local_performer):
    (material / "bucket").write_text("a file, no folder")
    outcomes = run_batch(
        material / "shots.csv",
        material / "out",
        publish=f"file://{material / 'bucket'}",
        make_performer=local_performer,
    )
    assert {outcome.state for outcome in outcomes} == {FAILED} and "copied" in outcomes[0].reason
    with pytest.raises(BatchError, match="nowhere"):
        Publisher("nowhere://bucket")


@pytest.fixture
def local_performer():
    from test_batch import QuickPerformer

    return QuickPerformer
