from __future__ import annotations

import gzip
import json
from math import isclose
from pathlib import Path

import pytest
from click.testing import CliRunner

from server.cli.performance_command import command
from tests.unit.core.performance.vectors import RESULTS, RETURNS


def run(path: Path, *arguments: str) -> tuple[int, str, str]:
    result = CliRunner().invoke(command, [str(path), *arguments])
    # Errors come in a frame of lines: one line of words again.
    words = " ".join(result.stderr.replace("│", " ").split())
    return result.exit_code, result.stdout, words


def numbers(path: Path, *arguments: str) -> dict[str, dict[str, float | None]]:
    code, out, error = run(path, "--json", *arguments)
    assert code == 0, error
    found: dict[str, dict[str, float | None]] = json.loads(out)
    return found


def write(folder: Path, text: str) -> Path:
    path = folder / "file.csv"
    path.write_text(text, encoding="utf-8")
    return path


VECTOR_1 = {
    "total_return": 0.02961247795,
    "sharpe": 4.58257569496,
    "sortino": 9.43086297592,
    "downside_deviation": 0.00841625411530,
    "max_drawdown": 0.02,
    "probabilistic_sharpe": 0.738252039975,
    "win_rate": 0.6,
    "expectancy": 0.005,
}
KEYS = """
    total_return annual_return annual_volatility sharpe sortino max_drawdown calmar ulcer_index
    value_at_risk_95 expected_shortfall_95 downside_deviation omega tail_ratio stability
    probabilistic_sharpe win_rate profit_factor payoff_ratio expectancy
"""

FILES = {
    "a column without a name": "\n".join(map(str, RETURNS)),
    "a header": "r\n" + "\n".join(map(str, RETURNS)),
    "dates": "Date,r\n" + "\n".join(f"2026-01-0{n},{r}" for n, r in enumerate(RETURNS, 1)),
    "newest first": "Date,r\n"
    + "\n".join(f"0{n}/01/2026,{r}" for n, r in reversed(list(enumerate(RETURNS, 1)))),
    "an index": ",r\n" + "\n".join(f"{n},{r}" for n, r in enumerate(RETURNS)),
    "percent": "r\n" + "\n".join(f"{100 * r:g}%" for r in RETURNS),
    "decimal commas": "r;x\n" + "\n".join(f"{r}".replace(".", ",") + ";text" for r in RETURNS),
    "brackets": "r\n" + "\n".join(f"({-r})" if r < 0 else str(r) for r in RETURNS),
    "seconds since 1970": "time,r\n"
    + "\n".join(f"{1_769_904_000 + 86_400 * n},{r}" for n, r in enumerate(RETURNS)),
    "milliseconds since 1970": "timestamp,r\n"
    + "\n".join(f"{1_769_904_000_123 + 86_400_000 * n},{r}" for n, r in enumerate(RETURNS)),
    "spaces": "date r\n" + "\n".join(f"2026-01-0{n} {r}" for n, r in enumerate(RETURNS, 1)),
    "a remark": "# of one account\nday,r\n"
    + "\n".join(f"2026-01-0{n},{r}" for n, r in enumerate(RETURNS, 1)),
    "quarters": "of,r\n" + "\n".join(f"2026-Q{n},{r}" for n, r in enumerate(RETURNS, 1)),
    "holes": "a\tr\n" + "\n".join(f"NA\t\n1\t{r}" for r in RETURNS),
    "a mark at the beginning": "\ufeffr\r\n" + "\r\n".join(map(str, RETURNS)) + "\r\n\r\n",
}


@pytest.mark.parametrize("name", list(FILES))
def test_any_file_gives_the_first_vector(tmp_path: Path, name: str) -> None:
    found = numbers(write(tmp_path, FILES[name]), "--annualisation", "252")
    if name == "holes":
        del found["a"]
    (column,) = found.values()
    for metric, expected in VECTOR_1.items():
        actual = column[metric]
        assert actual is not None
        assert isclose(expected, actual, rel_tol=1e-9), metric
    assert set(KEYS.split()) <= set(column)


def test_levels_are_the_returns_between_them(tmp_path: Path) -> None:
    level, text = 1_000.0, "equity\n1000\n"
    for value in RETURNS:
        level *= 1 + value
        text += f"{level!r}\n"
    path = tmp_path / "levels.csv.gz"
    path.write_bytes(gzip.compress(text.encode()))
    found = numbers(path, "--equity")["equity"]
    for metric, expected in VECTOR_1.items():
        assert isclose(expected, found[metric] or 0.0, rel_tol=1e-9), metric


def test_results_of_trades_are_the_second_vector(tmp_path: Path) -> None:
    rows = "\n".join(f"t{n},10.5,{r:,.2f}" for n, r in enumerate(RESULTS))
    path = write(tmp_path, "trade|price|PnL\n" + rows.replace(",", "|"))
    found = numbers(path, "--trades")
    assert list(found) == ["PnL"]
    for metric, expected in {
        "win_rate": 4 / 7,
        "profit_factor": 1.863636,
        "payoff_ratio": 1.397727,
        "expectancy": 27.142857,
        "expectancy_ratio": 0.370130,
        "system_quality": 0.656736,
    }.items():
        assert isclose(expected, found["PnL"][metric] or 0.0, abs_tol=1e-6), metric
    assert found["PnL"]["sharpe"] is None
    assert "(NO_RECORD)" in run(path, "--trades", "--column", "price")[1]


def test_columns_may_start_late_and_are_trials_of_each_other(tmp_path: Path) -> None:
    rows = [f"2026-{1 + n // 28:02}-{1 + n % 28:02},{n % 5 - 2}e-2," for n in range(90)]
    rows = [row + (f"{n % 7 - 2}e-2" if n > 20 else "") for n, row in enumerate(rows)]
    path = write(tmp_path, "day,one,two\n" + "\n".join(rows))
    found = numbers(path, "--benchmark", "one")
    assert found["two"]["average_return"] != found["one"]["average_return"]
    assert isclose(1.0, found["one"]["beta"] or 0.0)
    assert found["two"]["beta"] is not None
    assert found["two"]["deflated_sharpe"] is not None
    alone = numbers(path, "--column", "two", "--column", "two")
    assert list(alone) == ["two"]
    assert alone["two"]["deflated_sharpe"] is None
    assert "(NO_TRIALS)" in run(path, "--column", "two")[1]


@pytest.mark.parametrize(
    ("dates", "expected"),
    [
        ([f"2026-01-{n:02}" for n in range(1, 29)], "365"),
        ([f"2026-01-{n:02}" for n in range(1, 29) if n % 7 not in (3, 4)], "252"),
        ([f"2026-01-{n:02}" for n in range(1, 29, 7)], "52"),
        ([f"2026-{n:02}-01" for n in range(1, 13)], "12"),
        ([f"20{n:02}0101" for n in range(10, 20)], "1"),
        (["Jan 05, 2026", "Apr 05, 2026", "Jul 05, 2026"], "4"),
        (["05.01.2026"], "252"),
    ],
)
def test_dates_say_how_many_rows_a_year_has(
    tmp_path: Path, dates: list[str], expected: str
) -> None:
    quoted = "\n".join(f'"{day}",0.01' for day in dates)
    out = run(write(tmp_path, f"date,r\n{quoted}"))[1]
    assert out.splitlines()[-1].startswith(f"{expected} rows a year")


def test_everything_lost_ends_a_series(tmp_path: Path) -> None:
    found = numbers(write(tmp_path, "r\n0.5\n-1.2\n0.9\n"))["r"]
    assert (found["total_return"], found["max_drawdown"]) == (-1.0, 1.0)
    found = numbers(write(tmp_path, "e\n100\n150\n-5\n100\n"), "--equity")["e"]
    assert (found["total_return"], found["max_drawdown"]) == (-1.0, 1.0)


BAD = [
    ("", (), "expected rows of numbers, was an empty file"),
    ("r\n", (), "expected rows of numbers below the header, were none"),
    ("name,text\na,b\n", (), "expected a column of numbers, were name, text"),
    ("r\n0.1\noops\n0.2\n", (), "expected a number, was 'oops' in column 'r', data row 2"),
    ("r\n0.1\n1_0\n", (), "was '1_0' in column 'r', data row 2"),
    ("r\n100\n101\n102\n", (), "say --equity for levels or --trades for results"),
    ("r\n" + "0.6\n-1.2\n" * 50, (), "or write 1% for percent"),
    ("date,r\n" + "2026-01-01,0.1\n" * 20 + "Total,2\n", (), "expected a date, was 'Total'"),
    ("time,e\n1,2\n2,3\n", ("--column", "x"), "out of time, e, was x"),
    ("e\n0\n101\n", ("--equity",), "expected levels above 0, was 0 at the start of 'e'"),
    ("r\n" + "0.9\n" * 2000, (), "that compound to a number"),
    ("r\n0.1\n", ("--column", "x"), "expected a column of numbers out of r, was x"),
    ("r\n0.1\n", ("--benchmark", "x"), "expected a column of numbers out of r, was x"),
]


@pytest.mark.parametrize(("text", "arguments", "expected"), BAD)
def test_a_bad_file_says_what_was_expected(
    tmp_path: Path, text: str, arguments: tuple[str, ...], expected: str
) -> None:
    code, out, error = run(write(tmp_path, text), *arguments)
    assert (code, out) == (2, "")
    assert expected in error


def test_what_is_no_text_is_no_file(tmp_path: Path) -> None:
    path = tmp_path / "file.csv"
    for raw in (b"\x1f\x8b\x08nothing", b"r\n\xff\xfe\xfd\n"):
        path.write_bytes(raw)
        code, _, error = run(path)
        assert code == 2
        assert "expected a text file, optionally gzip" in error
    path.write_bytes("r\n0.1\n0.2\n".encode("utf-16"))
    assert isclose(0.32, numbers(path)["r"]["total_return"] or 0.0)


def test_numbers_as_people_write_them(tmp_path: Path) -> None:
    path = write(tmp_path, 'net,net\n"$1,234.50",1\n"-$34.50",2\n"(1,000)",3\n')
    found = numbers(path, "--trades")
    assert list(found) == ["net"]
    assert isclose(200 / 3, found["net"]["expectancy"] or 0.0)
    assert list(numbers(path, "--trades", "--column", "net (2)")) == ["net (2)"]
