"""Run a batch: check the list, render what is missing or changed, and say how it went."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from tqdm import tqdm

from animate.batch.cluster import RemotePerformer, perform_on_ray, read_folder
from animate.batch.crew import perform_all
from animate.batch.ledger import Ledger, folder_hash
from animate.batch.portraits import prepared
from animate.batch.publish import Publisher
from animate.batch.shots import CAPTIONS, PICTURES, Shot, read_shots
from animate.errors import BatchError, CheckpointError
from animate.resources import shipped

if TYPE_CHECKING:
    from animate.pipeline import Animator

KEPT, RENDERED, FAILED = "kept", "rendered", "failed"


@dataclass(frozen=True)
class Outcome:
    """How a shot ended: kept from an earlier run, rendered, or failed for a reason.

    Attributes
    ----------
    shot : Shot
    state : str
    facts : dict
        Of the finished shot: ``duration_s``, ``render_s``, ``marked`` (whether its mark was found again) and
        ``figures`` (`animate.evaluate.report`, each a pair of its words and whether it is good).
    reason : str
    """

    shot: Shot
    state: str
    facts: dict
    reason: str = ""


def run_batch(
    shot_list: str | Path,
    out: str | Path,
    *,
    workers: int = 1,
    checkpoint: str | Path | None = None,
    device: str = "cpu",
    cluster: str | None = None,
    publish: str | None = None,
    progress: bool = False,
    make_performer: Callable | None = None,
) -> list[Outcome]:
    """Render a shot list; run again, it renders what is missing, failed or changed.

    Parameters
    ----------
    shot_list : path
        As `read_shots` takes it.
    out : path
        Folder of the outputs, ``ID.mp4`` and so on; made if it is missing.
    workers : int
        Processes; each loads the model once.
    checkpoint : path, optional
        Folder of another motion model.
    device : str
        Where the motion model runs.
    cluster : str, optional
        Address of a Ray cluster, whose nodes need this package and no shared disk: ``ray://HOST:10001``, ``auto`` or
        ``local``. Needs the extra ``[ray]``. Nodes sign with keys of their own.
    publish : str, optional
        Where to copy finished shots as well: a folder of any storage that fsspec reaches.
    progress : bool
        Show a progress bar on stderr, counted in shots.
    make_performer : callable, optional
        Makes, in a worker, what renders a shot, in place of `Performer` (or of `cluster.RemotePerformer`) and with the
        same arguments. For tests and other ways to render.

    Returns
    -------
    list of Outcome
        In the order of the list.

    Raises
    ------
    BatchError
        If the list has mistakes (all are listed), or the folder, the cluster or the storage cannot be used.
    CheckpointError
        If there is no checkpoint.
    """
    if workers < 1:
        raise BatchError(f"{workers} workers render nothing. Use 1 or more.")
    if not Path(shot_list).is_file():
        raise BatchError(f"There is no shot list {shot_list}. Check the path.")
    from animate.pipeline import read_voice

    model = Path(checkpoint or shipped("checkpoints/base"))
    if not (model / "model_index.json").is_file():
        raise CheckpointError(f"There is no checkpoint in {model}. Pass the folder that holds model_index.json.")
    publisher = publish and Publisher(publish)
    with Ledger(Path(out).absolute(), folder_hash(model)).opened() as ledger:
        checks = {
            ("portrait", "face", "restore"): partial(prepared, folder=ledger.portraits),
            ("voice",): read_voice,
            ("voice", "direction", "transcript"): _check_words,
        }
        shots = read_shots(shot_list, checks)
        markers = {shot.id: ledger.done(shot) for shot in shots}
        todo = [shot for shot in shots if markers[shot.id] is None]
        kept = [Outcome(shot, KEPT, markers[shot.id]) for shot in shots if markers[shot.id]]
        outcomes = {outcome.shot.id: _published(outcome, ledger, publisher) for outcome in kept}
        if cluster is None:
            threads = max(1, (os.cpu_count() or 1) // workers)
            ended = perform_all(make_performer or Performer, (ledger, model, device, threads), todo, workers)
        else:
            arguments = (read_folder(model), device)
            ended = perform_on_ray(cluster, make_performer or RemotePerformer, arguments, todo, ledger, workers)
        bar = tqdm(total=len(shots), initial=len(outcomes), unit="shot", disable=not progress)
        with bar, closing(ended):  # closing ends the workers, also after Ctrl-C
            for index, facts, reason in ended:
                shot = todo[index]
                state = RENDERED if reason is None else FAILED
                outcome = Outcome(shot, state, facts or {}, reason or "")
                outcomes[shot.id] = _published(outcome, ledger, publisher)
                bar.update()
        return [outcomes[shot.id] for shot in shots]


def _published(outcome: Outcome, ledger: Ledger, publisher: Publisher | None) -> Outcome:
    if publisher is None or outcome.state == FAILED:
        return outcome
    try:
        publisher.copy(ledger, outcome.shot.id, outcome.facts["outputs"])
    except BatchError as error:
        return replace(outcome, state=FAILED, reason=str(error))
    return outcome


def _check_words(voice: Path, direction: Path, transcript: Path) -> None:
    """Raise what a direction on words would raise later."""
    from animate.pipeline import read_scene, read_voice
    from animate.speech import read_transcript

    read_scene(direction, read_voice(voice), read_transcript(transcript))


class Performer:
    """Renders shots in a worker, with the model loaded once."""

    def __init__(self, ledger: Ledger, checkpoint: Path, device: str, threads: int):
        import torch

        from animate.pipeline import Animator

        torch.set_num_threads(threads)
        self.ledger, self.animator = ledger, Animator.from_pretrained(checkpoint, device=device)

    def __call__(self, shot: Shot) -> dict:
        """Render one shot and deliver it; return its marker."""
        signature = self.ledger.signature(shot)
        with tempfile.TemporaryDirectory(prefix=f"{shot.id}-", dir=self.ledger.work) as folder:
            drafts, facts = perform_shot(self.animator, shot, self.ledger.portraits, Path(folder))
            return self.ledger.deliver(shot, signature, drafts, facts)


def perform_shot(animator: Animator, shot: Shot, portraits: Path, folder: Path) -> tuple[list[Path], dict]:
    """Render one shot into a folder.

    Parameters
    ----------
    animator : Animator
    shot : Shot
    portraits : Path
        Folder that keeps prepared portraits.
    folder : Path

    Returns
    -------
    drafts : list of Path
        The outputs, under their final names.
    facts : dict
        As in `Outcome`.
    """
    from animate.captions import captions, write_captions
    from animate.evaluate import report
    from animate.interchange import save_motion
    from animate.pipeline import verify
    from animate.reviving import revive
    from animate.speech import read_transcript

    begun_s = time.monotonic()
    transcript = shot.transcript and read_transcript(shot.transcript)
    portrait = prepared(shot.portrait, shot.face, shot.restore, folder=portraits)
    given = {"consent": shot.consent, "config": shot.config}
    if shot.performance is not None:
        clip = revive(portrait, shot.performance, duration_s=shot.seconds, loop=shot.loop, **given)
    else:
        words = transcript if shot.direction else None
        clip = animator(portrait, shot.voice, direction=shot.direction, transcript=words, **given)
    drafts = [folder / f"{shot.id}.{kind}" for kind in shot.outputs]
    shown = [draft for draft in drafts if draft.suffix[1:] in PICTURES]
    clip.save(*shown)
    for draft in drafts[len(shown) :]:
        if draft.suffix[1:] in CAPTIONS:
            write_captions(captions(clip.speech, transcript), draft)
        else:
            save_motion(clip.motion, draft)
    drafts += folder.glob("*.c2pa")  # signatures of formats that cannot hold them
    facts = {
        "duration_s": round(clip.motion.duration_s, 3),
        "render_s": round(time.monotonic() - begun_s, 2),
        "marked": verify(drafts[0]).marked,
        "figures": [(str(figure), figure.good) for figure in report(clip.portrait, clip.motion)],
    }
    return drafts, facts
