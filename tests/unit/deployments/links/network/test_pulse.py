"""Noticing that the other end has gone silent."""

from __future__ import annotations

import asyncio

import pytest

from deployments.links.network.pulse import BEAT_S, CALLER_BEATS, Pulse

pytestmark = pytest.mark.virtual_time


async def test_silence_is_given_up_after_three_beats_and_one_more():
    loop = asyncio.get_running_loop()
    beats: list[float] = []
    gone: list[float] = []
    began = loop.time()
    pulse = Pulse(
        lambda: beats.append(loop.time() - began),
        lambda: gone.append(loop.time() - began),
        CALLER_BEATS,
    )
    pulse.start()
    await asyncio.sleep(20)
    assert beats == pytest.approx([0, BEAT_S, 2 * BEAT_S])
    assert gone == pytest.approx([3 * BEAT_S])


async def test_what_is_heard_keeps_it_up_and_a_stopped_one_does_nothing():
    count = [0, 0]

    def beat() -> None:
        count[0] += 1
        pulse.heard()

    def give_up() -> None:
        count[1] += 1

    pulse = Pulse(beat, give_up, 3)
    pulse.start()
    await asyncio.sleep(30.5)
    assert count == [31, 0]
    pulse.stop()
    await asyncio.sleep(30)
    assert count == [31, 0]


async def test_beats_are_counted_and_not_seconds():
    """A process that stood still hears nothing either: one late beat is one."""
    gone: list[str] = []
    pulse = Pulse(lambda: None, lambda: gone.append("gone"), 3)
    pulse.start()
    assert pulse._next is not None
    pulse._next.cancel()  # the loop stands still for a minute
    await asyncio.sleep(60)
    pulse._run()
    assert not gone
    pulse.heard()
    await asyncio.sleep(2.5)
    assert not gone
    pulse.stop()
