"""The one thread that waits for the disk, so that the event loop never does.

It is handed jobs, runs each to its end in order, and reports back on the event loop. The thread is a daemon: what
has not been acknowledged when the process ends need not survive.
"""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class _Job:
    work: Callable[[], None]
    report: Callable[[Exception | None], None]
    loop: asyncio.AbstractEventLoop


class Writer:
    """Runs jobs on a thread of its own, one after the other."""

    def __init__(self, name: str) -> None:
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def submit(self, work: Callable[[], None], report: Callable[[Exception | None], None]) -> None:
        """Run ``work`` on the thread, then ``report`` its failure or None on the running event loop."""
        self._jobs.put(_Job(work, report, asyncio.get_running_loop()))

    async def stop(self) -> None:
        """Return when all jobs are done and the thread is gone."""
        self._jobs.put(None)
        await asyncio.to_thread(self._thread.join)

    def _run(self) -> None:
        while (job := self._jobs.get()) is not None:
            failure: Exception | None = None
            try:
                job.work()
            except Exception as error:
                failure = error
            job.loop.call_soon_threadsafe(job.report, failure)
