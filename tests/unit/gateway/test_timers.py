import asyncio

import pytest

from server.gateway import timers as timers_module
from server.gateway.timers import TimerWheel
from tests.manual_clock import ManualClock
from tests.support import eventually


async def test_timers_fire_in_time_and_in_order() -> None:
    clock, fired = ManualClock(), list[str]()
    wheel = TimerWheel(clock.monotonic, tick_ms=50)
    wheel.schedule(0.12, lambda: fired.append("late"))
    wheel.schedule(0.0, lambda: fired.append("soon"))
    wheel.schedule(-1.0, lambda: fired.append("at once"))
    wheel.turn()
    assert fired == []
    clock.advance(0.05)
    wheel.turn()
    assert fired == ["soon", "at once"]
    clock.advance(0.07)
    wheel.turn()
    assert fired == ["soon", "at once"]
    clock.advance(0.06)
    wheel.turn()
    assert fired == ["soon", "at once", "late"]
    assert len(wheel) == 0
    wheel.stop()


async def test_a_timer_may_be_forgotten_before_and_after_it_fired() -> None:
    clock, fired = ManualClock(), list[str]()
    wheel = TimerWheel(clock.monotonic, tick_ms=50)
    first = wheel.schedule(0.0, lambda: fired.append("first"))
    second = wheel.schedule(0.0, lambda: fired.append("second"))
    third = wheel.schedule(1.0, lambda: fired.append("third"))
    first.cancel()
    third.cancel()
    third.cancel()
    assert len(wheel) == 1
    clock.advance(0.1)
    wheel.turn()
    second.cancel()
    assert fired == ["second"]
    wheel.stop()


async def test_a_crowd_due_at_once_is_spread_over_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timers_module, "TIMERS_PER_TURN", 10)
    clock, fired = ManualClock(), list[int]()
    wheel = TimerWheel(clock.monotonic, tick_ms=50)
    timers = [wheel.schedule(0.0, lambda n=number: fired.append(n)) for number in range(25)]
    clock.advance(0.1)
    wheel.turn()
    assert list(range(10)) == fired
    timers[12].cancel()
    wheel.turn()
    wheel.turn()
    assert [number for number in range(25) if number != 12] == fired
    wheel.stop()


async def test_a_callback_may_cancel_those_after_it_and_set_new_ones() -> None:
    clock, fired = ManualClock(), list[str]()
    wheel = TimerWheel(clock.monotonic, tick_ms=50)

    def first() -> None:
        fired.append("first")
        second.cancel()
        wheel.schedule(0.0, lambda: fired.append("third"))

    wheel.schedule(0.0, first)
    second = wheel.schedule(0.0, lambda: fired.append("second"))
    clock.advance(0.1)
    wheel.turn()
    clock.advance(0.1)
    wheel.turn()
    assert fired == ["first", "third"]
    wheel.stop()


async def test_the_loop_turns_the_wheel_only_while_timers_are_set() -> None:
    loop = asyncio.get_running_loop()
    fired: list[float] = []
    wheel = TimerWheel(loop.time, tick_ms=5)
    begun = loop.time()
    wheel.schedule(0.02, lambda: fired.append(loop.time()))
    await eventually(lambda: fired)
    assert fired[0] - begun >= 0.02
    await eventually(lambda: wheel._handle is None)
    wheel.schedule(0.0, lambda: fired.append(loop.time()))
    await eventually(lambda: len(fired) == 2)


async def test_an_error_in_a_timer_stops_no_other() -> None:
    loop = asyncio.get_running_loop()
    errors: list[object] = []
    loop.set_exception_handler(lambda _, context: errors.append(context["exception"]))
    fired: list[str] = []
    wheel = TimerWheel(loop.time, tick_ms=5)

    def broken() -> None:
        raise ValueError("broken")

    wheel.schedule(0.0, broken)
    wheel.schedule(0.0, lambda: fired.append("next"))
    await eventually(lambda: fired)
    assert len(errors) == 1


async def test_a_stopped_wheel_fires_nothing() -> None:
    clock, fired = ManualClock(), list[str]()
    wheel = TimerWheel(clock.monotonic)
    wheel.schedule(0.0, lambda: fired.append("never"))
    wheel.stop()
    clock.advance(1.0)
    wheel.turn()
    wheel.stop()
    assert fired == []
