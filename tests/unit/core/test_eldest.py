from __future__ import annotations

from hypothesis import given, strategies as st

from streams.core.eldest import LEFT_MAX, Eldest


def test_the_oldest_leaves_first() -> None:
    entries: dict[str, None] = {}
    eldest = Eldest(entries)
    for name in "abc":
        eldest.put(name, None)
    eldest.drop()
    assert list(entries) == ["b", "c"]


def test_an_entry_that_comes_again_is_the_newest() -> None:
    entries = {"a": [1], "b": [2]}
    eldest = Eldest(entries)
    eldest.put("a", [1])
    eldest.drop()
    assert entries == {"a": [1]}


@given(names=st.lists(st.sampled_from("abcdefgh")), most=st.integers(1, 5), cut=st.integers(0, 50))
def test_it_agrees_with_looking_for_the_oldest_and_with_a_restart(
    names: list[str], most: int, cut: int
) -> None:
    entries: dict[str, list[int]] = {}
    model: dict[str, list[int]] = {}
    eldest = Eldest(entries)
    for number, name in enumerate(names):
        model.pop(name, None)
        if len(model) >= most:
            del model[next(iter(model))]
        model[name] = [number]
        if number == cut:
            entries = dict(entries)
            eldest = Eldest(entries)
        if name not in entries and len(entries) >= most:
            eldest.drop()
        eldest.put(name, [number])
        assert eldest.first() is next(iter(entries.values()))
        assert list(model.items()) == list(entries.items())


def test_what_has_left_is_forgotten() -> None:
    eldest: Eldest[list[int]] = Eldest({})
    for number in range(3 * LEFT_MAX):
        eldest.put("a", [number])
    assert len(eldest._order) <= LEFT_MAX + 3
