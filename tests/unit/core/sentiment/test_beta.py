from math import comb

import pytest
from hypothesis import given, strategies as st

from streams.core.sentiment.beta import beta_quantile, incomplete_beta, interval_90


@given(st.integers(1, 30), st.integers(1, 30), st.floats(0.01, 0.99))
def test_the_incomplete_beta_function_is_a_binomial_sum(a, b, x):
    n = a + b - 1
    expected = sum(comb(n, k) * x**k * (1 - x) ** (n - k) for k in range(a, n + 1))
    assert incomplete_beta(x, float(a), float(b)) == pytest.approx(expected, abs=1e-9)


@given(st.floats(1, 3_000), st.floats(1, 3_000), st.sampled_from([0.05, 0.5, 0.95]))
def test_a_quantile_is_where_the_share_lies(a, b, share):
    x = beta_quantile(share, a, b)
    assert incomplete_beta(x, a, b) == pytest.approx(share, abs=1e-8)


def test_intervals():
    # uniform without voices; the closed form 0.05 ** (1 / 11) for ten that agree entirely
    assert interval_90(500_000, 0) == (-90.0, 90.0)
    low, high = interval_90(1_000_000, 10_000)
    assert low == round(200 * 0.05 ** (1 / 11) - 100, 2)
    assert high == round(200 * 0.95 ** (1 / 11) - 100, 2)


def test_an_interval_narrows_with_voices_and_holds_the_score():
    widths = []
    for effective_milli in (1_000, 10_000, 100_000, 2_500_000):
        low, high = interval_90(700_000, effective_milli)
        assert low < 40.0 < high
        widths.append(high - low)
    assert widths == sorted(widths, reverse=True)
