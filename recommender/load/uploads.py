"""What strangers upload, opened with care: bytes -> named files -> rows of text or JSON values, all of it within limits.

Nothing is written to disk and nothing is trusted: sizes are counted while reading, names only choose what is read.
"""

from __future__ import annotations

import codecs
import csv
import io
import json
import lzma
import re
import stat
import struct
import unicodedata
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath

from recommender.load.files import short

LONGEST = 100_000  # characters of one line, and of one record of several lines
MOST_MEMBERS = 5_000  # of a zip
MOST_READ = 50  # members of a zip that are exports
MOST_VALUES = 2_000_000  # of a JSON file
_CHUNK = 1 << 20
_LOOKS = (  # how files begin that are something else
    (b"%PDF", "a PDF"),
    (b"\x89PNG", "a PNG picture"),
    (b"\xff\xd8\xff", "a JPEG picture"),
    (b"GIF8", "a GIF picture"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"7z\xbc\xaf", "a 7z archive"),
    (b"Rar!", "a RAR archive"),
    (b"\xd0\xcf\x11\xe0", "an Excel or Word document of the old kind"),
    (b"SQLite format 3", "an SQLite database"),
    (b"{\\rtf", "an RTF document"),
)
_OFFICE = {"xl/": "an Excel workbook", "word/": "a Word document", "ppt/": "a PowerPoint document"}
_WEB = re.compile(r"\s*<(!doctype|html|head|body|\?xml|!--)", re.IGNORECASE)
_UNSAFE = frozenset("\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff")  # turn the direction of text
_UNSOUND = (zipfile.BadZipFile, zlib.error, lzma.LZMAError, struct.error, EOFError, OSError, NotImplementedError, RuntimeError, ValueError)


class ExportError(ValueError):
    """An upload is not what it should be; one line says what it is and what is wanted."""


@dataclass(frozen=True)
class Part:
    """One file: the upload itself, or a member of it."""

    name: str
    content: bytes


def clean(text: str, limit: int = 300) -> str:
    """Text on one line, without control characters, halves of characters and marks that turn its direction; at most `limit` characters."""
    kept = (" " if c.isspace() else c for c in text[: 4 * limit])
    return " ".join("".join(c for c in kept if c not in _UNSAFE and unicodedata.category(c) not in ("Cc", "Cs")).split())[:limit].strip()


def refusal(name: str, said: str, wanted: str, line: int | None = None) -> ExportError:
    """The one form of all messages: `ratings.csv line 3: a quote is never closed, wanted a closing quote`."""
    return ExportError(f"{clean(name, 100) or 'the file'}{f' line {line}' if line else ''}: {said}, wanted {wanted}")


# ---- files


def parts(content: bytes, name: str, wanted: Callable[[PurePosixPath], bool], most: int) -> list[Part]:
    """The upload as it is, or the members of a zip whose path is `wanted`; both within `most` bytes. Raises ExportError."""
    if len(content) > most:
        raise refusal(name, f"it has {len(content):,} bytes", f"at most {most:,}")
    if not content.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return [_sniffed(Part(name, content))]
    if (members := content.count(b"PK\x01\x02")) > MOST_MEMBERS:  # before a list of them is made
        raise refusal(name, f"the zip has {members:,} members", f"at most {MOST_MEMBERS:,}")
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            return _members(archive, name, wanted, most)
    except ExportError:
        raise
    except _UNSOUND as error:
        raise refusal(name, f"the zip is broken ({clean(str(error), 80) or type(error).__name__})", "a sound zip") from None


def _members(archive: zipfile.ZipFile, name: str, wanted: Callable[[PurePosixPath], bool], most: int) -> list[Part]:
    found: list[Part] = []
    left = most
    infos = archive.infolist()
    for beginning, kind in _OFFICE.items():
        if any(info.filename.startswith(beginning) for info in infos):
            raise refusal(name, f"it looks like {kind}", "a CSV or JSON file, or the zip of an export")
    for info in infos:
        path = PurePosixPath(info.filename.replace("\\", "/"))
        if path.is_absolute() or ".." in path.parts or re.match("[A-Za-z]:", info.filename):
            raise refusal(name, f"member {short(info.filename)} leads out of the zip", "plain relative names")
        if info.is_dir() or stat.S_IFMT(info.external_attr >> 16) not in (0, stat.S_IFREG) or not wanted(path):
            continue
        if info.flag_bits & 1:
            raise refusal(name, f"member {short(info.filename)} is encrypted", "a zip without a password")
        if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise refusal(name, f"member {short(info.filename)} is packed by method {info.compress_type}", "stored or deflated members")
        with archive.open(info) as packed:
            content = packed.read(left + 1)  # what comes out is counted, whatever the header says
        left -= len(content)
        if left < 0:
            raise refusal(name, f"it unpacks to more than {most:,} bytes", "less")
        found.append(_sniffed(Part(path.name, content)))
        if len(found) > MOST_READ:
            raise refusal(name, f"it holds more than {MOST_READ} exports", "those of one person")
    if not found:
        names = f" ({', '.join(short(info.filename, 40) for info in infos[:5])})" if infos else ""
        raise refusal(name, f"none of its {len(infos)} members is an export{names}", "ratings, watched films or a watch-list")
    return found


def _sniffed(part: Part) -> Part:
    """The part, unless it is empty or plainly something else."""
    if not part.content.strip(b" \t\r\n\xef\xbb\xbf"):
        raise refusal(part.name, "it is empty", "films")
    looks = next((kind for beginning, kind in _LOOKS if part.content.startswith(beginning)), None)
    if looks is None and _WEB.match(head(part)):
        looks = "a web page or XML"
    if looks:
        raise refusal(part.name, f"it looks like {looks}", "a CSV or JSON file, or the zip of an export")
    return part


# ---- text


def _encoding(content: bytes) -> str:
    return "utf-16" if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) else "utf-8-sig"


def head(part: Part, characters: int = 2_000) -> str:
    """How the text begins; what cannot be read is left out."""
    return part.content[: 4 * characters].decode(_encoding(part.content), "ignore")[:characters]


def _check_text(part: Part) -> str:
    """The encoding of a text all of which can be read and has no NUL; in pieces, so that nothing large is made."""
    encoding = _encoding(part.content)
    decoder = codecs.getincrementaldecoder(encoding)()
    line = 1
    for start in range(0, len(part.content), _CHUNK):
        piece = part.content[start : start + _CHUNK]
        try:
            text = decoder.decode(piece, final=start + _CHUNK >= len(part.content))
        except UnicodeDecodeError as error:
            at = start + len(piece) - len(error.object) + error.start
            byte = f"byte 0x{part.content[at]:02x} at position {at:,} is not {'UTF-16' if encoding == 'utf-16' else 'UTF-8'}"
            raise refusal(part.name, byte, "text saved as UTF-8", line + part.content.count(b"\n", start, at)) from None
        if "\0" in text:
            line += text.count("\n", 0, text.index("\0"))
            raise refusal(part.name, "byte 0x00 stands in it: it is no text", "text saved as UTF-8", line)
        line += text.count("\n")
    return encoding


class _Lines:
    """The lines of a text for csv.reader; a line or a record that is too long is never held whole."""

    def __init__(self, part: Part, most: int) -> None:
        self._part, self._most = part, most
        self._stream = io.TextIOWrapper(io.BytesIO(part.content), _check_text(part), newline="")
        self.number = 0
        self.taken = 0  # characters since the record began
        self.ended = False

    def __iter__(self) -> _Lines:
        return self

    def __next__(self) -> str:
        line = self._stream.readline(LONGEST + 1)
        self.number += 1
        self.taken += len(line)
        if not line:
            self.ended = True
            raise StopIteration
        if self.taken > LONGEST:
            raise refusal(self._part.name, f"a line or a quoted text runs on for more than {LONGEST:,} characters", "less", self.number)
        if self.number > self._most:
            raise refusal(self._part.name, f"it has more than {self._most:,} lines", "less")
        return line


def records(part: Part, most: int) -> Iterator[tuple[int, list[str] | str]]:
    """(line, fields) of each CSV record of at most `most` lines, blank ones left out; (line, reason) of one that cannot be read.

    Fields stand between commas, semicolons or tabs, whichever the first line has most of.
    """
    lines = _Lines(part, most)
    first = head(part).splitlines()[:1]
    reader = csv.reader(lines, delimiter=max(",;\t", key=first[0].count) if first else ",", strict=True)
    while True:
        line, lines.taken = lines.number + 1, 0
        try:
            fields = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            if lines.ended:
                raise refusal(part.name, "a quote is opened and never closed", "a closing quote", line) from None
            upto = f" in lines {line} to {lines.number}" if lines.number > line else ""
            yield line, f"it is no CSV{upto} ({error})"
            continue
        if fields:
            yield line, fields


def values(part: Part) -> list:
    """The values of a JSON list. Counted before they are made: a small file can hold a great many."""
    if (many := sum(part.content.count(mark) for mark in (b",", b"[", b"{"))) > MOST_VALUES:
        raise refusal(part.name, f"it holds about {many:,} values", f"at most {MOST_VALUES:,}")
    text = part.content.decode(_check_text(part))
    try:
        found = json.loads(text)
    except RecursionError:
        raise refusal(part.name, "its JSON is nested too deep", "a list of films") from None
    except json.JSONDecodeError as error:
        raise refusal(part.name, f"it is no JSON ({error.msg})", "a list of films", error.lineno) from None
    except ValueError:
        raise refusal(part.name, "its JSON has a number of thousands of digits", "a list of films") from None
    if not isinstance(found, list):
        keys = f" with {', '.join(short(key, 30) for key in list(found)[:5])}" if isinstance(found, dict) else ""
        raise refusal(part.name, f"its JSON is one {type(found).__name__}{keys}", "a list of films")
    return found
