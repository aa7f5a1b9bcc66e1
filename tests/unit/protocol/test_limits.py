from streams.protocol.limits import StreamLimits


def test_hello_tells_the_limits_a_client_can_run_into() -> None:
    hello = StreamLimits().as_hello()
    assert tuple(
        hello[name]
        for name in (
            "message_bytes",
            "requests_per_s",
            "requests_burst",
            "subscriptions",
            "sockets_per_account",
            "outbox_bytes",
        )
    ) == (65_536, 50, 100, 500, 20, 1_048_576)


def test_the_hold_threshold_lies_below_the_bound() -> None:
    limits = StreamLimits()
    assert limits.outbox_hold_bytes < limits.outbox_bytes_max
