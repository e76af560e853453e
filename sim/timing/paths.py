"""What an operation does, step by step: CPU, compression stream, allocator lock, mapping and copies, swap device."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from simpy import Event

from sim.timing.processors import Clock, Path, Processors
from sim.timing.resources import DeviceQueue, Lock, Streams
from sim.timing.work import Work

Then = Callable[[], None]  # what whoever did an operation does next


class Paths:
    """The paths through these resources. `end` is called for each operation when it ends.

    An operation's steps and their costs are columns of `Work`, into which the waits are written.
    """

    def __init__(
        self,
        clock: Clock,
        processors: Processors,
        locks: Sequence[Lock],
        streams: Streams,
        device: DeviceQueue,
        requests: int,
        end: Callable[[Work, int], None],
    ) -> None:
        self.clock, self.processors, self.locks = clock, processors, locks
        self.streams, self.device, self.end = streams, device, end
        self.requests = requests  # writes under way from which their writers wait
        self.writing = 0

    def operation(self, work: Work, i: int, then: Then) -> Path:
        """An operation from its beginning, on a CPU. `then` is called when its task may go on."""
        clock = self.clock
        work.queue[i] = clock.now - work.arrived[i]
        yield work.first[i]
        if work.simple[i]:  # most are: told apart for speed
            lock = work.lock[i]
            if lock >= 0:
                hold = work.hold[i]
                work.locked[i] = wait = self.locks[lock].take(clock.now, hold)
                yield wait + hold + work.then[i]
            self._done(work, i, then)
        elif not work.compress[i]:
            yield from self._store(work, i)
            yield from self._finish(work, i, then)
        elif self.streams.take():
            yield from self._compress(work, i, then)
        else:
            work.stream[i] = -clock.now
            self.streams.waiting.append((self._woken, work, i, then))

    def _woken(self, work: Work, i: int, then: Then) -> Path:
        """A page-out that was given a stream, on a CPU again."""
        work.stream[i] += self.clock.now
        yield from self._compress(work, i, then)

    def _compress(self, work: Work, i: int, then: Then) -> Path:
        """Compress into a stream, which is free again when the object is stored."""
        yield work.compress[i]
        yield from self._store(work, i)
        first_in_line = self.streams.release()
        if first_in_line is not None:
            self.processors.run(*first_in_line)
        yield from self._finish(work, i, then)

    def _store(self, work: Work, i: int) -> Path:
        """Allocate under the lock, take new pages outside it, then use them."""
        lock, hold, rest = work.lock[i], work.hold[i], work.then[i]
        if lock >= 0:
            wait = self.locks[lock].take(self.clock.now, hold)
            if work.grow[i]:
                yield wait + hold + work.grow[i]
                again = self.locks[lock].take(self.clock.now, hold)
                wait, rest = wait + again, again + hold + rest
            else:
                rest += wait + hold
            work.locked[i] = wait
        if rest:
            yield rest

    def _finish(self, work: Work, i: int, then: Then) -> Path:
        """Move objects, free what there was before, read or write the device."""
        clock = self.clock
        for lock, hold in (*work.moves.get(i, ()), (work.free_lock[i], work.free_hold[i])):
            if lock >= 0:
                wait = self.locks[lock].take(clock.now, hold)
                work.locked[i] += wait
                yield wait + hold
        if work.writes[i]:
            self._write(work, i, then)
        elif work.reads[i]:
            self._sleep(work, i, then, self.device.read(clock.now, work.reads[i] + work.ahead_reads[i]))
        else:
            if work.ahead_reads[i]:
                clock.after(self.device.read(clock.now, work.ahead_reads[i]), _nobody_waits)
            self._done(work, i, then)

    def _done(self, work: Work, i: int, then: Then) -> None:
        """The operation is over, and its CPU looks for the next one."""
        self.end(work, i)
        then()

    def _sleep(self, work: Work, i: int, then: Then, delay: float) -> None:
        """Wait for the device, without a CPU; the operation is over then."""

        def wake(event: Event) -> None:
            self.end(work, i)
            then()

        work.device[i] = delay
        self.clock.after(delay, wake)

    def _write(self, work: Work, i: int, then: Then) -> None:
        """Write to the device; the writer goes on at once, unless too many writes are under way."""
        goes_on = self.writing < self.requests
        self.writing += 1

        def written() -> None:
            self.writing -= 1
            if not goes_on:
                then()

        self._sleep(work, i, written, self.device.write(self.clock.now, work.writes[i]))
        if goes_on:
            then()


def _nobody_waits(event: Event) -> None:
    """Only the run waits, for its end."""
