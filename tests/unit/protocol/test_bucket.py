from streams.protocol.bucket import TokenBucket


def test_a_burst_then_the_rate() -> None:
    bucket = TokenBucket(50, 3, 0.0)
    assert [bucket.take(0.0) for _ in range(4)] == [True, True, True, False]
    assert bucket.wait_ms() == 20
    assert [bucket.take(0.02), bucket.take(0.02)] == [True, False]


def test_it_fills_to_the_burst_and_no_further() -> None:
    bucket = TokenBucket(50, 3, 0.0)
    assert [bucket.take(1e6) for _ in range(4)] == [True, True, True, False]


def test_a_clock_that_stands_or_goes_back_adds_nothing() -> None:
    bucket = TokenBucket(50, 1, 10.0)
    assert [bucket.take(10.0), bucket.take(10.0), bucket.take(9.0)] == [True, False, False]


def test_the_wait_is_never_zero() -> None:
    assert TokenBucket(50, 1, 0.0).wait_ms() == 1
