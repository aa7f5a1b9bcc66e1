from streams.core.commands import Command, RegisterTrader
from tests.unit.core.support import SERVICE, START_US, Desk, check_table, desk


def command_of(verb: str, arguments: list[str]) -> Command:
    match verb, arguments:
        case "register", [trader, handle]:
            return RegisterTrader(trader, handle, "Name", "account", 5_000_000)
    raise AssertionError(verb)


def test_rules_of_registration() -> None:
    check_table(
        Desk(),
        """
        # principal verb    arguments          expected
        alice   register    alice  alice       OK
        alice   register    bob    bob         NOT_ALLOWED
        alice   register    alice  x           INVALID_SETTINGS
        carol   register    carol  Carol       INVALID_SETTINGS
        carol   register    carol  ca-rol      INVALID_SETTINGS
        alice   register    alice  alice       TRADER_EXISTS
        alice   register    alice  other       TRADER_EXISTS
        bob     register    bob    alice       HANDLE_TAKEN
        bob     register    bob    bob_0       OK
        feed    register    hl:0x1 hl_0x1      OK
        """,
        command_of,
    )


def test_opening_cash_is_where_the_record_begins() -> None:
    at = Desk()
    at.do(
        SERVICE, RegisterTrader("nof1:gpt", "nof1_gpt", "GPT", "recorded", 10_000_000_000, START_US)
    )
    trader = at.state.traders["nof1:gpt"]
    assert trader.ledger.cash_micros == 10_000_000_000
    assert trader.track.base_micros == 10_000_000_000
    assert trader.track.growth == 1.0
    assert trader.joined_at_us == START_US
    assert at.state.handles == {"nof1_gpt": "nof1:gpt"}


def test_limit_of_traders(monkeypatch) -> None:  # type: ignore[no-untyped-def]
    at = desk("alice", "bob", "carol")
    monkeypatch.setattr("streams.core.social.TRADERS_MAX", 3)
    assert at.code("dave", RegisterTrader("dave", "dave", "D", "account", 0)) == "LIMIT_REACHED"
