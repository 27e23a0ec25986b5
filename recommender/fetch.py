"""Getting a MovieLens data set from its publisher, or from a folder or zip at hand: whole, checked, or not at all.

    fetch("ml-1m", Path("data/raw")) -> data/raw/ml-1m

Only a download that was cut short or stopped leaves something behind: the `.part` file, from which the next try goes on.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import stat
import tempfile
import threading
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from urllib.parse import urlsplit

import requests
from tenacity import Retrying, retry_if_exception_type, sleep_using_event, stop_after_attempt, stop_when_event_set, wait_exponential
from tqdm import tqdm

from recommender.load import DataError, load
from recommender.settings import settings

DATASETS = ("ml-1m", "ml-100k", "ml-latest-small", "ml-32m")
NO_CHECKSUM = ("ml-latest-small",)  # may be published without an md5, for it can change
TIMEOUT = (10, 20)  # seconds: to connect, between two pieces
ATTEMPTS = 5
MOST_BYTES = 4 << 30  # of a data set unpacked; ml-32m has about 1 GiB
MOST_RATIO = 200  # unpacked to packed, of one file
_CHUNK = 1 << 14  # a broken connection loses less than this


class FetchError(DataError):
    """Why a data set did not arrive. kind: "network", "server" (it has trouble of its own), "refused", "damaged" (not what was promised), "disk"."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind


class Stopped(Exception):
    """Whoever looked on asked to stop; what came is kept."""


@dataclass
class Watch:
    """Who looks on, and may stop it while bytes come. told: (stage, bytes so far, bytes in all); 0 and None where there are none to count.

    Stages, in this order: "fetching", "checking", "unpacking", "reading".
    """

    told: Callable[[str, int, int | None], None]
    stop: threading.Event = field(default_factory=threading.Event)


class _Again(Exception):
    """A failure that may pass: the connection broke, or the server has trouble of its own."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind


def fetch(
    dataset: str,
    into: Path,
    source: Path | None = None,
    *,
    base: str | None = None,
    say: Callable[[str], None] = print,
    pause: float = 1.0,
    watch: Watch | None = None,
) -> Path:
    """Put `dataset` under the folder `into` and return its own folder; what is there already is left alone.

    source: a local folder or zip instead of the network. base: where the zips and their .md5 files lie, by the settings if not said; HTTPS, or this
    machine. pause: seconds before the first retry, doubled each time. The licence is said once, when the set arrives. watch: told of the progress in
    place of the terminal. Raises DataError; Stopped where the watch asks for it.
    """
    if dataset not in DATASETS:
        raise DataError(f"data set is {dataset!r}, wanted one of {', '.join(DATASETS)}")
    target = into / dataset
    if target.exists():
        say(f"{target} is there already; remove it to fetch it again")
        return target
    with _on_disk(into):
        into.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{dataset}-", dir=into) as scratch:
            folder = Path(scratch) / "unpacked"
            folder.mkdir()
            if source is None:
                url = f"{(base or settings().publisher).rstrip('/')}/{dataset}.zip"
                archive = download(url, into, checksum=dataset not in NO_CHECKSUM, say=say, pause=pause, watch=watch)
                try:
                    _tell(watch, "unpacking")
                    unzip(archive, folder)
                finally:
                    archive.unlink(missing_ok=True)
            elif source.is_dir():
                _copy(source, folder)
            elif source.is_file():
                unzip(source, folder)
            else:
                raise DataError(f"{source} is not there, wanted a folder or a zip of {dataset}")
            found = data_folder(folder)
            _tell(watch, "reading")
            load(found)  # a set that cannot be read is not kept
            _move(found, target)
    say(licence(target))
    return target


def _tell(watch: Watch | None, stage: str, done: int = 0, total: int | None = None) -> None:
    if watch is not None:
        watch.told(stage, done, total)


@contextmanager
def _on_disk(into: Path) -> Iterator[None]:
    """What the disk has against it, such as no room or no right to write, as one line."""
    try:
        yield
    except OSError as error:
        raise FetchError("disk", f"{error.filename or into}: {error.strerror or error}, wanted room and the right to write there") from error


def _move(found: Path, target: Path) -> None:
    try:
        os.rename(found, target)
    except OSError:
        if not target.is_dir():  # else somebody else fetched it meanwhile
            raise


def _copy(source: Path, folder: Path) -> None:
    """The files of a data set folder, or of the one below it; nothing else that may lie there."""
    for path in sorted(data_folder(source).iterdir()):
        if path.is_file():
            shutil.copyfile(path, folder / path.name)


def data_folder(folder: Path) -> Path:
    """`folder` or the one folder directly in it that holds a data set."""
    for candidate in (folder, *sorted(p for p in folder.iterdir() if p.is_dir())):
        if any((candidate / name).is_file() for name in ("ratings.dat", "u.data", "ratings.csv")):
            return candidate
    raise DataError(f"{folder.name} has none of ratings.dat, u.data, ratings.csv; wanted a MovieLens data set")


# ---- over the network


def download(url: str, into: Path, checksum: bool = True, say: Callable[[str], None] = print, pause: float = 1.0, watch: Watch | None = None) -> Path:
    """The zip at `url`, its md5 compared with the one at `url`.md5. Goes on from a .part file, also one of an earlier day."""
    host = urlsplit(url)
    if host.scheme != "https" and host.hostname not in ("127.0.0.1", "localhost"):
        raise DataError(f"address is {url!r}, wanted https://")
    part, stop = part_of(into, Path(host.path).stem), watch.stop if watch else threading.Event()
    _tell(watch, "fetching", *((part.stat().st_size, None) if part.exists() else ()))
    again = Retrying(
        retry=retry_if_exception_type(_Again),
        stop=stop_after_attempt(ATTEMPTS) | stop_when_event_set(stop),
        sleep=sleep_using_event(stop),
        wait=wait_exponential(pause, max=30 * pause),
        reraise=True,
    )
    try:
        wanted = again(_md5_of, url, checksum)
        again(_pull, url, part, watch)
    except _Again as error:
        if stop.is_set():
            raise Stopped from None
        hint = f"; {part.name} is kept, run it again to go on" if part.exists() else ""
        raise FetchError(error.kind, f"{url}: {error} after {ATTEMPTS} tries, wanted the whole file{hint}") from None
    whole = part.with_suffix("")
    try:
        _tell(watch, "checking")
        _check(url, part, wanted, say)
        os.replace(part, whole)
    finally:
        part.unlink(missing_ok=True)
    return whole


def part_of(into: Path, dataset: str) -> Path:
    """Where what came of a data set waits for the rest."""
    return into / f"{dataset}.zip.part"


def _get(url: str, **options) -> requests.Response:
    """A good answer; _Again where another try may help, DataError where not."""
    try:
        response = requests.get(url, timeout=TIMEOUT, **options)
    except requests.RequestException as error:
        raise _Again("network", type(error).__name__) from error
    if response.status_code >= 500 or response.status_code == 429:
        response.close()
        raise _Again("server", f"the server answers {response.status_code} {response.reason}")
    if response.status_code not in (200, 206, 404, 416):
        response.close()
        raise FetchError("refused", f"{url}: the server answers {response.status_code} {response.reason}, wanted 200 OK")
    return response


def _md5_of(url: str, required: bool) -> str | None:
    """The publisher's md5, written "MD5 (file) = hash" or "hash  file"."""
    response = _get(url + ".md5")
    if response.status_code == 404:
        if required:
            raise FetchError("refused", f"{url}.md5: the server answers 404 {response.reason}, wanted the publisher's checksum")
        return None
    found = re.search(r"\b[0-9a-f]{32}\b", response.text, re.IGNORECASE)
    if not found or len(response.text) > 1000:
        raise FetchError("damaged", f"{url}.md5: {response.text.strip()[:60]!r} has no checksum, wanted 32 hexadecimal digits")
    return found[0].lower()


def _pull(url: str, part: Path, watch: Watch | None) -> None:
    """Append to `part` what is still missing of `url`."""
    if watch and watch.stop.is_set():  # asked for while it waited to try again
        raise Stopped
    have = part.stat().st_size if part.exists() else 0
    # identity: pieces of a compressed stream could not be put together
    headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={have}-"} if have else {})
    with _get(url, stream=True, headers=headers) as response:
        if response.status_code == 404:
            raise FetchError("refused", f"{url}: the server answers 404 {response.reason}, wanted 200 OK")
        begins = re.match(rf"bytes {have}-", response.headers.get("Content-Range", ""))
        if response.status_code == 416 or (response.status_code == 206 and not begins):
            part.unlink(missing_ok=True)  # it is no beginning of this file; start anew
            raise _Again("server", "the range did not fit")
        if response.status_code == 200:
            have = 0  # the server sends everything
        total = have + int(response.headers.get("Content-Length", 0)) or None
        shown = tqdm(desc=part.stem, initial=have, total=total, unit="B", unit_scale=True, disable=watch is not None)
        with part.open("ab" if have else "wb") as file, shown as bar:
            try:
                for piece in response.iter_content(_CHUNK):
                    file.write(piece)
                    bar.update(len(piece))
                    _tell(watch, "fetching", file.tell(), total)
                    if watch and watch.stop.is_set() and file.tell() != total:
                        raise Stopped
            except requests.RequestException as error:
                raise _Again("network", f"the connection broke at {file.tell():,} bytes") from error
        if total and part.stat().st_size < total:
            raise _Again("network", f"the connection ended at {part.stat().st_size:,} of {total:,} bytes")


def _check(url: str, part: Path, wanted: str | None, say: Callable[[str], None]) -> None:
    with part.open("rb") as file:
        head = file.read(40)
        if not head.startswith(b"PK"):
            raise FetchError("damaged", f"{url}: begins with {head.decode('latin-1').strip()!r}, wanted a zip")
        file.seek(0)
        digest = hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()
    if wanted is None:
        say(f"the publisher gives no checksum for {part.stem}; its md5 is {digest}")
    elif digest != wanted:
        raise FetchError("damaged", f"{url}: md5 is {digest}, wanted {wanted}; it was thrown away")


# ---- out of the zip


def unzip(archive: Path, folder: Path) -> None:
    """Unpack plain files only: no way out of `folder`, no links, nothing that grows out of proportion."""
    if not zipfile.is_zipfile(archive):
        with archive.open("rb") as file:
            head = file.read(40)
        raise FetchError("damaged", f"{archive.name}: begins with {head.decode('latin-1').strip()!r}, wanted a zip")
    try:
        with zipfile.ZipFile(archive) as zipped:
            members = [m for m in zipped.infolist() if not m.is_dir()]
            for member in members:
                _refuse(archive, member)
            if (size := sum(m.file_size for m in members)) > MOST_BYTES:
                raise FetchError("damaged", f"{archive.name}: unpacks to {size:,} bytes, wanted at most {MOST_BYTES:,}")
            for member in members:
                path = folder.joinpath(*PurePosixPath(member.filename).parts)
                path.parent.mkdir(parents=True, exist_ok=True)
                with zipped.open(member) as packed, path.open("xb") as out:  # reads no more than the declared size
                    shutil.copyfileobj(packed, out, _CHUNK)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, FileExistsError, EOFError) as error:
        raise FetchError("damaged", f"{archive.name}: {error}, wanted a sound zip") from error


def _refuse(archive: Path, member: zipfile.ZipInfo) -> None:
    name, kind = member.filename, stat.S_IFMT(member.external_attr >> 16)
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or "\\" in name or ":" in name or "\0" in member.orig_filename:
        raise FetchError("damaged", f"{archive.name}: member {name!r} leads out of the folder, wanted a plain relative path")
    if kind not in (0, stat.S_IFREG):
        raise FetchError("damaged", f"{archive.name}: member {name!r} is a link or a device, wanted plain files")
    if member.file_size > 1 << 20 and member.file_size > MOST_RATIO * max(member.compress_size, 1):
        said = f"member {name!r} grows from {member.compress_size:,} to {member.file_size:,} bytes"
        raise FetchError("damaged", f"{archive.name}: {said}, wanted at most {MOST_RATIO} times")


def licence(folder: Path) -> str:
    """The usage licence in the data set's own README."""
    for name in ("README", "README.txt", "README.md"):
        if (folder / name).is_file():
            lines = (folder / name).read_text("utf-8", "replace").splitlines()
            heads = [n for n in range(len(lines) - 1) if lines[n].strip() and re.fullmatch(r"[=\-]{3,}\s*", lines[n + 1])]
            for head, after in zip(heads, [*heads[1:], len(lines)]):
                if "license" in lines[head].lower():
                    return "\n".join(lines[head:after]).strip()
            return "\n".join(lines).strip()
    return f"{folder.name} came without a README; its licence is at https://grouplens.org/datasets/movielens/"
