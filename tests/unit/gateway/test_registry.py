from typing import Any

from server.gateway.registry import Registry
from streams.ports import Principal


class Socket:
    """The registry looks at nothing of a socket but its identity and its outbox."""

    def __init__(self) -> None:
        self.outbox = object()


def socket() -> Any:
    return Socket()


def test_sockets_are_found_by_account_and_by_login() -> None:
    registry = Registry()
    one, two, three = socket(), socket(), socket()
    for each in (one, two, three):
        registry.add(each)
    registry.identify(one, Principal("t_a", login="l_1"))
    registry.identify(two, Principal("t_a", login="l_2"))
    assert one is registry.of_outbox(one.outbox)
    assert ([one, two, three], 3) == (registry.sockets(), len(registry))
    assert (registry.count_of("t_a"), registry.count_of("t_b")) == (2, 0)
    assert ([one], [two], []) == tuple(registry.of_login(f"l_{n}") for n in (1, 2, 3))


def test_a_renewed_credential_moves_the_socket_to_its_login() -> None:
    registry = Registry()
    one = socket()
    registry.add(one)
    registry.identify(one, Principal("t_a", login="l_1"))
    registry.identify(one, Principal("t_a", login="l_2"))
    assert ([], [one], 1) == (
        registry.of_login("l_1"),
        registry.of_login("l_2"),
        registry.count_of("t_a"),
    )


def test_what_is_removed_leaves_nothing_behind() -> None:
    registry = Registry()
    one, two = socket(), socket()
    registry.add(one)
    registry.add(two)
    registry.identify(one, Principal("t_a", login="l_1"))
    for each in (one, two, two):
        registry.remove(each)
    assert (len(registry), registry.count_of("t_a"), registry.of_login("l_1")) == (0, 0, [])
    assert not registry._by_trader
    assert not registry._by_login
