"""A crew of worker processes that outlives the death of any of them."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
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
    performer = None
    while True:
        try:
            job = connection.recv()
        except EOFError:
            return
        try:
            performer = performer or make_performer(*arguments)
            answer = (performer(job), None)
        except AnimateError as error:
            answer = (None, str(error))
        except Exception as error:  # one shot must not stop the others, whatever went wrong
            answer = (None, f"{type(error).__name__}: {error}")
        connection.send(answer)


def _end_with_parent() -> None:
    wait([multiprocessing.parent_process().sentinel])
    os._exit(1)
