"""Work that cannot be a generator, such as a library's loop, made to stop and go like one."""

from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from threading import Event, Semaphore
from typing import TypeVar

T = TypeVar("T")


class Stopped(Exception):
    """The owner closed the generator while the work stood still."""


def alternating(work: Callable[[Callable[[], None]], T]) -> Generator[None, None, T]:
    """Run `work(pause)` in a thread that moves only while whoever drives this generator waits for
    it.

    So device and memory are used by one thread at a time. Yields at each call of `pause`. Closing
    makes `pause` raise `Stopped` and waits for the thread's end; what the work raises is raised
    here.
    """
    ours, theirs = Semaphore(0), Semaphore(0)
    is_stopped, is_over = Event(), Event()

    def pause() -> None:
        ours.release()
        theirs.acquire()
        if is_stopped.is_set():
            raise Stopped

    def run() -> T:
        theirs.acquire()
        try:
            return work(pause)
        finally:
            is_over.set()
            ours.release()

    with ThreadPoolExecutor(1, thread_name_prefix="alternating") as thread:
        outcome = thread.submit(run)
        try:
            while True:
                theirs.release()
                ours.acquire()
                if is_over.is_set():
                    return outcome.result()
                yield
        finally:
            is_stopped.set()
            theirs.release()
