from __future__ import annotations

import msgspec
import pytest

from server.api import rates
from server.api.addresses import client_address
from server.api.bodies import EditIdeaBody, without
from server.api.codes import KINDS, kind_of
from server.api.exchange import Exchange
from server.api.parameters import time_us
from server.api.problems import ApiError
from server.api.rates import RateLimit
from server.api.scanning import scan
from server.observability.meters import Histogram, Meters
from streams.core.reasons import Reason
from streams.protocol.codes import ErrorCode
from streams.replica.building import REQUESTS


@pytest.mark.parametrize(
    ("peer", "forwarded", "address"),
    [
        ("192.0.2.1", None, "192.0.2.1"),
        ("192.0.2.1", "198.51.100.7", "192.0.2.1"),
        ("10.0.0.1", "198.51.100.7", "198.51.100.7"),
        ("10.0.0.1", "203.0.113.9, 198.51.100.7", "198.51.100.7"),
        ("10.0.0.1", "198.51.100.7, 10.0.0.2", "198.51.100.7"),
        ("10.0.0.1", "10.0.0.2", "10.0.0.1"),
        ("10.0.0.1", "", "10.0.0.1"),
    ],
)
def test_only_trusted_proxies_are_believed(peer: str, forwarded: str | None, address: str) -> None:
    assert client_address(peer, forwarded, ("10.0.0.1", "10.0.0.2")) == address


def test_a_bucket_refills() -> None:
    now = [0.0]
    limit = RateLimit(2.0, 3, lambda: now[0])
    assert [limit.take("a").allowed for _ in range(4)] == [True, True, True, False]
    assert limit.take("b").remaining == 2
    now[0] += 0.5
    assert limit.take("a") == rates.Allowance(True, 3, 0, 2, 1)
    now[0] += 100
    assert limit.take("a").remaining == 2


def test_buckets_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rates, "SUBJECTS_MAX", 2)
    limit = RateLimit(1.0, 5, lambda: 0.0)
    for subject in "abac":
        limit.take(subject)
    assert list(limit._buckets) == ["a", "c"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (None, 7),
        ("1970-01-02", 86_400_000_000),
        ("1970-01-01T00:00:01Z", 1_000_000),
        ("1970-01-01T01:00:00 01:00", 0),
        ("1970-01-01T00:00:00.000002+00:00", 2),
    ],
)
def test_times(text: str | None, expected: int) -> None:
    assert time_us("from", text, 7) == expected


@pytest.mark.parametrize("text", ["", "now", "1970-01-01T00:00:01", "12", "2026W01T00"])
def test_times_without_a_zone_are_refused(text: str) -> None:
    with pytest.raises(ApiError) as caught:
        time_us("from", text, 0)
    assert caught.value.code == "INVALID_ARGUMENT"


def test_a_body_is_its_request_without_the_path() -> None:
    for kind in REQUESTS.values():
        for field in kind.form.__struct_fields__:
            body = without(kind.form, field)
            assert set(body.__struct_fields__) == set(kind.form.__struct_fields__) - {field}
    decoded = msgspec.json.decode(b'{"title":"A new title"}', type=EditIdeaBody)
    assert decoded.title == "A new title"
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(b'{"idea":"i_1"}', type=EditIdeaBody)
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(b'{"title":"x"}', type=EditIdeaBody)


def test_every_code_has_a_status() -> None:
    for reason in Reason:
        assert kind_of(reason.value).status in (403, 404, 409, 422)
    answered_over_rest = {"MALFORMED", "INVALID_ARGUMENT", "UNAUTHENTICATED", "FORBIDDEN"}
    answered_over_rest |= {"RATE_LIMITED", "TOO_LARGE", "NOT_READY", "OUTCOME_UNKNOWN"}
    assert answered_over_rest <= {code.value for code in ErrorCode}
    assert answered_over_rest <= set(KINDS)


@pytest.mark.parametrize("given", [None, b"", b"a b", b"x" * 65, b"\xff"])
def test_insane_request_ids_are_replaced(given: bytes | None) -> None:
    assert len(Exchange(given).request_id) == 16


def test_a_scan_stops_at_its_limit() -> None:
    numbers = [(place, place) for place in range(10)]
    assert scan(numbers, lambda number: number % 2 == 0, 2) == ([0, 2], 2)
    assert scan(numbers, lambda number: number > 7, 5) == ([8, 9], None)
    assert scan([], lambda _: True, 5) == ([], None)


def test_histograms_cumulate() -> None:
    histogram = Histogram()
    for seconds in (0.0001, 0.0005, 0.003, 99.0):
        histogram.observe(seconds)
    rows = dict(histogram.cumulated())
    assert (rows["0.0005"], rows["0.005"], rows["5.0"], rows["+Inf"]) == (2, 3, 3, 4)


def test_routes_are_bounded() -> None:
    meters = Meters()
    for number in range(600):
        meters.answered("GET", f"/{number}", 200, 0.001)
    assert len(meters.requests) == 513
    assert meters.requests["GET", "other", 200] == 600 - 512
