"""A crew of worker processes that outlives the death of any of them."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from multiprocessing.connection import wait

from animate.errors import AnimateError

_TRIES = 2  # of a job whose worker died: once may be chance (memory, a stray kill), twice is the job
_GOING_HOME_S = 5.0


@dataclass(eq=False)
class _Worker:
    process: multiprocessing.Process
    connection: multiprocessing.connection.Connection
    job: int | None = None


def perform_all(
    make_performer: Callable[..., Callable], arguments: tuple, jobs: Sequence, num_workers: int
) -> Iterator[tuple[int, object, str | None]]:
    """Perform jobs, each in one of several processes.

    Every process calls ``make_performer(*arguments)`` once and the result for each of its jobs. A process that dies
    is replaced and its job tried once more. When this process ends, however, the workers end too.

    Yields
    ------
    index : int
        Of a job, in the order in which they end.
    result : object
        What the performer returned; None if it failed.
    reason : str or None
        Why it failed.
    """
    waiting, tries = deque(range(len(jobs))), [0] * len(jobs)
    workers = [_hire(make_performer, arguments) for _ in range(min(num_workers, len(jobs)))]
    try:
        while waiting or any(worker.job is not None for worker in workers):
            for worker in workers:
                if worker.job is None and waiting:
                    worker.job = waiting.popleft()
                    tries[worker.job] += 1
                    _send(worker, jobs[worker.job])
            busy = {worker.connection: worker for worker in workers if worker.job is not None}
            for connection in wait(list(busy)):
                worker = busy[connection]
                job, worker.job = worker.job, None
                try:
                    yield (job, *connection.recv())
                except (EOFError, OSError):
                    worker.process.join()
                    again = tries[job] < _TRIES
                    if again:
                        waiting.appendleft(job)
                    workers.remove(worker)
                    if waiting:
                        workers.append(_hire(make_performer, arguments))
                    if not again:
                        yield job, None, f"its worker died {_TRIES} times (exit code {worker.process.exitcode})"
    finally:
        for worker in workers:
            if worker.job is None:
                worker.connection.close()  # an idle worker goes home by itself, and tidies up
                worker.process.join(_GOING_HOME_S)
            worker.process.kill()
            worker.process.join()


def attempt(act: Callable, *arguments) -> tuple[object, str | None]:
    """Return what `act` returns and None, or None and why it failed."""
    try:
        return act(*arguments), None
    except AnimateError as error:
        return None, str(error)
    except Exception as error:  # one shot must not stop the others, whatever went wrong
        return None, f"{type(error).__name__}: {error}"


class Hand:
    """What a worker works with: makes its performer for the first job, and answers each with a result or a reason."""

    def __init__(self, make_performer: Callable[..., Callable], *arguments):
        self._make, self._performer = partial(make_performer, *arguments), None

    def perform(self, job) -> tuple[object, str | None]:
        """Perform a job; return the result and None, or None and why it failed."""
        return attempt(self._try, job)

    def _try(self, job):
        self._performer = self._performer or self._make()
        return self._performer(job)


def _hire(make_performer: Callable, arguments: tuple) -> _Worker:
    context = multiprocessing.get_context("spawn")  # a fork would inherit the locks of torch's threads
    ours, theirs = context.Pipe()
    process = context.Process(target=_work, args=(theirs, make_performer, arguments), daemon=True)
    process.start()
    theirs.close()  # so that its end is the end of the connection
    return _Worker(process, ours)


def _send(worker: _Worker, job) -> None:
    try:
        worker.connection.send(job)
    except OSError:  # died while idle; the closed connection is noticed at once
        pass


def _work(connection, make_performer: Callable, arguments: tuple) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the one who leads
    threading.Thread(target=_end_with_parent, daemon=True).start()
    hand = Hand(make_performer, *arguments)
    while True:
        try:
            job = connection.recv()
        except EOFError:
            return
        connection.send(hand.perform(job))


def _end_with_parent() -> None:
    wait([multiprocessing.parent_process().sentinel])
    os._exit(1)
