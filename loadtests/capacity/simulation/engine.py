"""A clock of events, machines whose processors are shared, and processes of one thread."""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Callable
from itertools import count

Then = Callable[[], None]


class Clock:
    """Simulated time.

    Attributes:
        now_s: the present.
    """

    def __init__(self) -> None:
        self.now_s = 0.0
        self._events: list[tuple[float, int, Then]] = []
        self._numbers = count()

    def at(self, when_s: float, then: Then) -> None:
        """Call `then` at a time, not before those that were scheduled for the same time earlier."""
        heapq.heappush(self._events, (max(when_s, self.now_s), next(self._numbers), then))

    def after(self, delay_s: float, then: Then) -> None:
        """Call `then` after a while."""
        self.at(self.now_s + delay_s, then)

    def run(self, until_s: float) -> None:
        """Let time pass."""
        while self._events and self._events[0][0] <= until_s:
            self.now_s, _, then = heapq.heappop(self._events)
            then()
        self.now_s = until_s


class Machine:
    """Processors that all running processes share alike; a process uses one of them at most.

    Args:
        clock: the time.
        cores: number of processors, > 0; what other work takes is subtracted by the caller.

    Attributes:
        cores: see above.
        busy_s: processor time used so far.
    """

    def __init__(self, clock: Clock, cores: float) -> None:
        self.busy_s = 0.0
        self._clock = clock
        self.cores = cores
        # Each running process gets `_served` seconds of processor time, counted from the beginning
        # of the simulation: processor sharing in virtual time.
        self._served = 0.0
        self._since_s = 0.0
        self._running: list[tuple[float, int, Then]] = []
        self._numbers = count()
        self._version = 0

    def run(self, work_s: float, then: Then) -> None:
        """Run a process for `work_s` of processor time, then call `then`."""
        self._advance()
        heapq.heappush(self._running, (self._served + work_s, next(self._numbers), then))
        self._plan()

    def _rate(self) -> float:
        return min(1.0, self.cores / len(self._running))

    def _advance(self) -> None:
        elapsed_s = self._clock.now_s - self._since_s
        if self._running and elapsed_s > 0:
            served = elapsed_s * self._rate()
            self._served += served
            self.busy_s += served * len(self._running)
        self._since_s = self._clock.now_s

    def _plan(self) -> None:
        self._version += 1
        if self._running:
            version = self._version
            left_s = max(0.0, self._running[0][0] - self._served) / self._rate()
            self._clock.after(left_s, lambda: self._end_first(version))

    def _end_first(self, version: int) -> None:
        if version != self._version:
            return
        self._advance()
        done, _, then = heapq.heappop(self._running)
        self._served = max(self._served, done)
        self._plan()
        then()


class Process:
    """A process of one thread: one piece of work after the other, in order of arrival.

    Args:
        machine: where it runs.

    Attributes:
        busy_s: processor time used or begun so far.
        most_waiting: the longest its queue has been.
    """

    def __init__(self, machine: Machine) -> None:
        self.busy_s = 0.0
        self.most_waiting = 0
        self._machine = machine
        self._waiting: deque[tuple[float, Then]] = deque()
        self._is_busy = False

    @property
    def waiting(self) -> int:
        """Pieces of work that have not begun."""
        return len(self._waiting)

    def do(self, work_s: float, then: Then) -> None:
        """Do `work_s` of processor time after what waits already, then call `then`."""
        self._waiting.append((work_s, then))
        if self._is_busy:
            self.most_waiting = max(self.most_waiting, len(self._waiting))
        else:
            self._begin()

    def _begin(self) -> None:
        work_s, then = self._waiting.popleft()
        self._is_busy = True
        self.busy_s += work_s

        def done() -> None:
            self._is_busy = False
            if self._waiting:
                self._begin()
            then()

        self._machine.run(work_s, done)
