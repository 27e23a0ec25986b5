"""Reading files that strangers made: every fault is one line that names the file, the line, the value and what is wanted."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd

COLUMNS = ("user id", "film id", "rating", "time")


class DataError(ValueError):
    """A file is not what it should be."""


def fault(path: Path, line: int | None, said: str, wanted: str) -> DataError:
    """The one form of all messages: `ml-1m/ratings.dat line 3: rating is '7', wanted 1 to 5 stars in steps of 1`."""
    where = "/".join(path.parts[-2:]) + (f" line {line}" if line else "")
    return DataError(f"{where}: {said}, wanted {wanted}")


def short(value: object, limit: int = 60) -> str:
    """A value as it is quoted in a message: on one line, not too long."""
    text = str(value)
    return repr(text if len(text) <= limit else text[:limit] + "…")


def read_bytes(path: Path) -> bytes:
    """The file's bytes; it must be there, hold something, and be no web page and no archive."""
    if not path.is_file():
        raise DataError(f"{path} is not there, wanted a file")
    content = path.read_bytes()
    if not content.strip():
        raise fault(path, None, "the file is empty", "data")
    sniff(path, content[:512])
    return content


def sniff(path: Path, head: bytes) -> None:
    """Refuse what is plainly something else: a web page, a zip, text in UTF-16."""
    start = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if start.startswith((b"<!doctype", b"<html", b"<?xml", b"<head")):
        raise fault(path, 1, f"{short(head[:40].decode('latin-1').strip())} is the beginning of an HTML page", "the publisher's data")
    if head.startswith(b"PK\x03\x04"):
        raise fault(path, None, "the file is a zip archive", "it unpacked (`python -m recommender fetch --from FILE.zip` does it)")
    if head.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\0" in head:
        raise fault(path, 1, "the encoding is UTF-16 or binary", "text in latin-1 or UTF-8")


def read_lines(path: Path, encoding: str) -> list[str]:
    """The lines of a text file in `encoding`; in a latin-1 file, letters saved as UTF-8 are a fault too."""
    lines = read_bytes(path).removeprefix(b"\xef\xbb\xbf").split(b"\n")
    if not lines[-1]:
        lines.pop()
    return [_decode(path, n, line, encoding) for n, line in enumerate(lines, 1)]


def _decode(path: Path, number: int, raw: bytes, encoding: str) -> str:
    raw = raw.removesuffix(b"\r")
    if raw.isascii():
        return raw.decode("ascii")
    try:
        as_utf8 = raw.decode("utf-8")
    except UnicodeDecodeError:
        if encoding == "utf-8":
            raise fault(path, number, f"{short(raw.decode('latin-1'))} is not UTF-8", "the encoding utf-8") from None
        return raw.decode(encoding)
    if encoding == "latin-1":
        raise fault(path, number, f"{short(as_utf8)} is saved as UTF-8", "the encoding latin-1, as the publisher has it")
    return as_utf8


def split_lines(path: Path, encoding: str, separator: str, columns: tuple[str, ...]) -> Iterator[tuple[int, list[str]]]:
    """(line number, fields) of a file with a separator and no header; each line has all columns."""
    for number, line in enumerate(read_lines(path, encoding), 1):
        fields = line.split(separator)
        _count(path, number, fields, line, columns)
        yield number, fields


def csv_lines(path: Path, columns: tuple[str, ...], more: bool = False) -> Iterator[tuple[int, list[str]]]:
    """(line number, the wanted fields) of a CSV file in UTF-8 whose header has `columns`; with `more`, among others."""
    lines = read_lines(path, "utf-8")
    reader = csv.reader((line + "\n" for line in lines), strict=True)
    try:
        header = next(reader)
        if header != list(columns) if not more else set(columns) - set(header):
            raise fault(path, 1, f"the header is {short(','.join(header))}", ",".join(columns))
        places = [header.index(c) for c in columns]
        for fields in reader:
            _count(path, reader.line_num, fields, ",".join(fields), tuple(header))
            yield reader.line_num, [fields[p] for p in places]
    except csv.Error as error:
        raise fault(path, reader.line_num, str(error), "a well-formed CSV line") from None


def _count(path: Path, number: int, fields: list[str], line: str, columns: tuple[str, ...]) -> None:
    if len(fields) != len(columns):
        raise fault(path, number, f"{len(fields)} fields in {short(line)}", f"{len(columns)}: {', '.join(columns)}")


def whole(path: Path, number: int, name: str, value: str, least: int = 1) -> int:
    """A whole number from `least` on."""
    if not (value.isascii() and value.isdigit() and len(value) < 19 and int(value) >= least):
        raise fault(path, number, f"{name} is {short(value)}", f"a whole number >= {least}")
    return int(value)


def read_ratings(path: Path, separator: str, header: bool, step: float) -> pd.DataFrame:
    """Users, films, ratings [stars, in steps of `step`] and times [unix seconds], one row a line, in file order.

    pandas' C parser reads the file in one go; only when it or a check stumbles are the lines gone through one by one.
    """
    if not path.is_file():
        raise DataError(f"{path} is not there, wanted a file")
    with path.open("rb") as file:
        head = file.read(512)
    if not head.strip():
        raise fault(path, None, "the file is empty", "data")
    sniff(path, head)
    try:
        table = _parse(path, separator, header)
    except (ValueError, OverflowError, UnicodeError) as error:
        _find_fault(path, separator, header, step)
        raise fault(path, None, f"the parser says {short(error, 120)}", f"lines of {', '.join(COLUMNS)}") from error
    sound = table["rating"].between(step, 5) & (table["rating"] % step == 0) & (table["user"] >= 1) & table["time"].between(0, 2**33)
    if not sound.all():
        _find_fault(path, separator, header, step)
    return table


def _parse(path: Path, separator: str, header: bool) -> pd.DataFrame:
    source: Path | io.BytesIO = path
    if len(separator) > 1:  # the C parser takes one character: the unit separator, which no line has
        source = io.BytesIO(path.read_bytes().replace(separator.encode(), b"\x1f"))
    names = {"user": np.int64, "film": np.int64, "rating": np.float32, "time": np.int64}
    table = pd.read_csv(
        source, sep=separator if len(separator) == 1 else "\x1f", header=None, skiprows=int(header), names=list(names), dtype=names,
        engine="c", quoting=csv.QUOTE_NONE, skip_blank_lines=False, na_filter=True,
    )  # fmt: skip
    if not isinstance(table.index, pd.RangeIndex) or table["rating"].isna().any() or not len(table):
        raise ValueError("wrong number of fields")
    if header:
        with path.open("rb") as file:
            if file.readline().strip() != b"userId,movieId,rating,timestamp":
                raise ValueError("wrong header")
    return table


def _find_fault(path: Path, separator: str, header: bool, step: float) -> None:
    """Go through the lines and raise the first fault with its number."""
    with path.open("rb") as file:
        for number, raw in enumerate(file, 1):
            line = raw.decode("latin-1").rstrip("\r\n")
            if header and number == 1:
                if line != "userId,movieId,rating,timestamp":
                    raise fault(path, 1, f"the header is {short(line)}", "userId,movieId,rating,timestamp")
                continue
            fields = line.split(separator)
            _count(path, number, fields, line, COLUMNS)
            whole(path, number, "user id", fields[0])
            whole(path, number, "film id", fields[1])
            if not _is_rating(fields[2], step):
                raise fault(path, number, f"rating is {short(fields[2])}", f"{step:g} to 5 stars in steps of {step:g}")
            if whole(path, number, "time", fields[3], 0) > 2**33:
                raise fault(path, number, f"time is {fields[3]}", "unix seconds")
        if header and number == 1:
            raise fault(path, 1, "there is a header and nothing else", "ratings below it")


def _is_rating(value: str, step: float) -> bool:
    try:
        stars = float(value)
    except ValueError:
        return False
    return step <= stars <= 5 and stars % step == 0
