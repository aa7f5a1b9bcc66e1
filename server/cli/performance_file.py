"""Reading of any CSV file of returns, levels or results into columns of numbers.

What people have differs: with or without a header, an index or a column of dates; comma,
semicolon, tab, bar or space between cells; percent signs, currency signs, decimal commas; cells
that are missing at the start or in between. A column is a series of numbers or it is left out; a
series with one cell that is none is an error, never a guess.

Invariants: rows are in order of time where a column tells the time; every value is finite.
"""

from __future__ import annotations

import csv
import gzip
import io
import re
from collections.abc import Sequence
from datetime import UTC, date, datetime
from math import isfinite
from pathlib import Path
from typing import NamedTuple


MISSING = frozenset({"", "-", "--", "\u2013", "na", "n/a", "#n/a", "nan", "null", "none", "."})
"""Cells without a value, in lower case."""

DELIMITERS = (",", ";", "\t", "|")

DATE_FORMATS = (
    "%d/%m/%Y",
    "%m/%d/%Y",
    "%Y/%m/%d",
    "%d.%m.%Y",
    "%d-%m-%Y",
    "%d-%b-%Y",
    "%d %b %Y",
    "%b %d, %Y",
    "%Y-%m",
    "%Y%m",
)
"""Tried in this order, after ISO 8601, until one fits every cell of a column."""

DATE_NAMES = frozenset({"", "date", "day", "month", "period", "time", "timestamp", "datetime"})
"""First columns whose bare digits (20040102) may be dates, in lower case."""

EPOCH_UNITS = (1, 1_000, 1_000_000, 1_000_000_000)
"""Parts of a second in which times since 1970 are counted."""

DATES_SHARE_MIN = 0.9
"""Share of dates from which on a column is one of dates, and a cell that is none an error."""

YEARS = range(1900, 2101)
"""Years that a date may be in: numbers of eight digits are dates then, and levels otherwise."""

FILE_BYTES_MAX = 512 << 20
"""Largest file, unpacked: beyond it an error instead of a machine without memory."""

CURRENCIES = re.compile(r"[$€£¥\s\u00a0']|USD|EUR|USDT")
GROUPED = re.compile(r"[+-]?\d{1,3}(,\d{3})+(\.\d*)?")


class BadFile(Exception):
    """The file is not what was expected; the message says what was."""


class Series(NamedTuple):
    """One column: values with the row (0 = first data row) and line of the file of each."""

    name: str
    rows: list[int]
    values: list[float]


class Table(NamedTuple):
    """A file: its series, and the day number of each row if a column tells dates."""

    series: list[Series]
    days: list[int] | None


def read_table(path: Path) -> Table:
    """Read a file.

    Raises:
        BadFile: it is no table of numbers.
    """
    names, rows = _named(_cells(path))
    columns = [[row[place] for row in rows] for place in range(len(names))]
    dates = _date_column(names, columns)
    days = None
    if dates is not None:
        place, found = dates
        order = sorted(range(len(found)), key=found.__getitem__)
        columns = [[column[row] for row in order] for column in columns]
        lines = order
        days = [found[row].toordinal() for row in order]
    else:
        place, lines = -1, list(range(len(rows)))
    comma = _decimal_comma(columns, place)
    series = []
    for number, (name, column) in enumerate(zip(names, columns, strict=True)):
        if number == place or _is_index(number, name, column):
            continue
        if found_series := _series(name, column, lines, comma):
            series.append(found_series)
    if not series:
        raise BadFile(f"expected a column of numbers, were {', '.join(names) or 'none'}")
    return Table(series, days)


def _cells(path: Path) -> list[list[str]]:
    try:
        raw = path.read_bytes()
        if raw[:2] == b"\x1f\x8b":
            with gzip.open(path) as file:
                raw = file.read(FILE_BYTES_MAX + 1)
        text = raw.decode("utf-16" if raw[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig")
    except (OSError, EOFError, UnicodeDecodeError) as error:
        raise BadFile(f"expected a text file, optionally gzip, was: {error}") from error
    if len(raw) > FILE_BYTES_MAX:
        raise BadFile(f"expected at most {FILE_BYTES_MAX} bytes")
    delimiter = _delimiter([line for line in text.splitlines()[:20] if line.strip()])
    try:
        rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))
    except csv.Error as error:
        raise BadFile(f"expected comma separated values, was: {error}") from error
    rows = [[cell.strip() for cell in row] for row in rows if any(cell.strip() for cell in row)]
    while len(rows) > 1 and rows[0][0].startswith("#") and len(rows[0]) < len(rows[1]):
        del rows[0]
    if not rows:
        raise BadFile("expected rows of numbers, was an empty file")
    return rows


def _delimiter(lines: list[str]) -> str:
    """Return what separates cells: a space only where nothing else could."""
    counts = {mark: min((line.count(mark) for line in lines), default=0) for mark in DELIMITERS}
    if any(counts.values()):
        return max(DELIMITERS, key=counts.__getitem__)
    split = lines and all(line.count(" ") == 1 for line in lines)
    return " " if split else DELIMITERS[0]


def _named(rows: list[list[str]]) -> tuple[list[str], list[list[str]]]:
    """Return names of columns and rows of equal length, with or without a header in the file."""
    width = max(len(row) for row in rows)
    first = rows[0] + [""] * (width - len(rows[0]))
    is_data = any(_number(cell) is not None for cell in first)
    names = [f"column {number}" for number in range(1, width + 1)] if is_data else first
    seen: dict[str, int] = {}
    unique = []
    for number, given in enumerate(names, 1):
        # A first column without a name may be an index, or the only one.
        name = given or (f"column {number}" if number > 1 else "")
        seen[name] = seen.get(name, 0) + 1
        unique.append(name if seen[name] == 1 else f"{name} ({seen[name]})")
    data = rows if is_data else rows[1:]
    if not data:
        raise BadFile("expected rows of numbers below the header, were none")
    return unique, [row + [""] * (width - len(row)) for row in data]


def _date_column(names: list[str], columns: list[list[str]]) -> tuple[int, list[date]] | None:
    for place, (name, column) in enumerate(zip(names, columns, strict=True)):
        known = place == 0 and name.lower() in DATE_NAMES
        found = _dates(name, column) if known or _number(column[0]) is None else None
        if found is None and name and known:
            found = _epochs(column)
        if found is not None:
            return place, found
    return None


def _dates(name: str, column: Sequence[str]) -> list[date] | None:
    """Return the dates of a column, None if it is one of something else.

    Raises:
        BadFile: nearly every cell is a date, but not all.
    """
    if not any(mark.isdigit() for mark in column[0]):
        return None
    for form in (None, *DATE_FORMATS):
        found = [_date(cell, form) for cell in column] if _date(column[0], form) else []
        dates = [day for day in found if day is not None]
        if found and len(dates) == len(column):
            return dates
        if found and len(dates) >= DATES_SHARE_MIN * len(column):
            row = found.index(None)
            raise BadFile(
                f"expected a date, was {column[row]!r} in column {name!r}, data row {row + 1}"
            )
    return None


def _date(cell: str, form: str | None) -> date | None:
    try:
        if form is None:
            found = datetime.fromisoformat(cell).date()
        else:
            found = datetime.strptime(cell, form).date()  # noqa: DTZ007 - a day has no zone
    except ValueError:
        return None
    return found if found.year in YEARS else None


def _epochs(column: Sequence[str]) -> list[date] | None:
    """Return the days of times since 1970, None if the cells are none."""
    if not all(cell.isdecimal() and 9 <= len(cell) <= 19 for cell in column):
        return None
    unit = EPOCH_UNITS[(len(column[0]) - 8) // 3]
    return [datetime.fromtimestamp(int(cell) // unit, UTC).date() for cell in column]


def _is_index(place: int, name: str, column: Sequence[str]) -> bool:
    """Whether a first column without a name of its own only counts rows."""
    if place != 0 or name.lower() not in ("", "index", "id", "row", "#", "no"):
        return False
    start = column[0]
    return start in ("0", "1") and all(
        cell == str(number) for number, cell in enumerate(column, int(start))
    )


def _decimal_comma(columns: list[list[str]], dates: int) -> bool:
    """Whether commas are decimal points: nowhere a point, and commas that group nothing."""
    cells = [
        cell for place, column in enumerate(columns) if place != dates for cell in column[:500]
    ]
    commas = [cell for cell in cells if re.fullmatch(r"[+-]?\d+,\d+\s*%?", cell)]
    points = any(re.search(r"\d\.\d", cell) for cell in cells)
    return not points and any(GROUPED.fullmatch(cell) is None for cell in commas)


def _series(name: str, column: Sequence[str], lines: Sequence[int], comma: bool) -> Series | None:
    rows: list[int] = []
    values: list[float] = []
    bad = -1
    for row, cell in enumerate(column):
        if cell.lower() in MISSING:
            continue
        value = _number(cell, comma=comma)
        if value is not None:
            rows.append(row)
            values.append(value)
        elif bad < 0:
            bad = row
    if not values:
        return None
    if bad >= 0:
        raise BadFile(
            f"expected a number, was {column[bad]!r} in column {name!r}, data row {lines[bad] + 1}"
        )
    return Series(name or "value", rows, values)


def _number(cell: str, *, comma: bool = False) -> float | None:
    """Return the number that a cell shows, None if it shows none."""
    try:
        value = float(cell)
        # Python also reads `1_0` and `infinity`, which no table means.
        return value if isfinite(value) and "_" not in cell else None
    except ValueError:
        pass
    text = CURRENCIES.sub("", cell)
    scale = 1.0
    if text.startswith("(") and text.endswith(")"):
        text, scale = text[1:-1], -1.0
    if text.endswith("%"):
        text, scale = text[:-1], scale / 100.0
    if comma:
        text = text.replace(".", "").replace(",", ".")
    elif GROUPED.fullmatch(text):
        text = text.replace(",", "")
    if re.fullmatch(r"[+\-\u2212]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", text) is None:
        return None
    value = float(text.replace("\u2212", "-")) * scale
    return value if isfinite(value) else None
