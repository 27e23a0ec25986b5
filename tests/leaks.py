"""Secrets that stand in the repository: `python tests/leaks.py` looks through every version of every text file that was ever committed.

detect-secrets finds what looks like one; what is explained in KNOWN is none.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from detect_secrets.core.scan import scan_file
from detect_secrets.settings import default_settings
from tqdm import tqdm

ROOT = Path(__file__).resolve().parents[1]
NO_TEXT = (".npz", ".safetensors", ".woff2", ".jpg", ".png", ".webp", ".csv")
LARGEST = 400_000  # bytes of a file that is read
KNOWN = (  # file, what it looks like, its value: why it is none
    (r"artifacts/.*\.json", "Hex High Entropy String", r"[0-9a-f]+"),  # hashes of data, weights, files and compositions
    (r"tests/test_split\.py", "Hex High Entropy String", r"[0-9a-f]{64}"),  # hashes of splits
    (r"tests/test_hostile_pages\.py", "Base64 High Entropy String", r"sha256-.*"),  # the hash of alert(1)
    (r"recommender/ui/web/.*\.js", "Hex High Entropy String", r"[0-9a-f]+"),  # colours of faces and posters
    (r"deploy/kubernetes/.*\.yaml", "Secret Keyword", r"marquee(-api)?(-tls)?"),  # names of secrets that the cluster holds
    (r"docs/runbook\.md", "Secret Keyword", r"ALTER ROLE marquee PASSWORD .*"),  # how to change one
    (r".*", "Basic Auth Credentials", r"PASSWORD|geheim|sesame|word"),  # the form of an address; addresses that tests want hidden or refused
    (r"tests/test_artifacts\.py", "Secret Keyword", r"a word"),
    (r"tests/tmdb_server\.py", "JSON Web Token", r"eyJhbGciOiJub25lIn0\..*"),  # a token without a signature, of a server that plays TMDB
)


def git(*asked: str, said: str | None = None) -> str:
    return subprocess.run(["git", *asked], cwd=ROOT, check=True, capture_output=True, text=True, input=said).stdout


def tracked() -> Iterator[tuple[str, bytes]]:
    """Name and content of the text files that are committed now, as they lie here; without those that commands wrote."""
    for name in git("ls-files").splitlines():
        if not name.startswith("artifacts/") and not name.endswith(NO_TEXT) and (path := ROOT / name).is_file() and path.stat().st_size <= LARGEST:
            yield name, path.read_bytes()


def ever() -> Iterator[tuple[str, bytes]]:
    """Name and content of every version of every text file in the history."""
    pairs = (line.split(" ", 1) for line in git("rev-list", "--objects", "--all").splitlines())
    names = {pair[0]: pair[1] for pair in pairs if len(pair) == 2 and not pair[1].endswith(NO_TEXT)}
    kinds = [line.split() for line in git("cat-file", "--batch-check", said="\n".join(names)).splitlines()]
    for number, kind, size in tqdm(kinds, unit="file"):
        if kind == "blob" and int(size) <= LARGEST:
            yield names[number], subprocess.run(["git", "cat-file", "blob", number], cwd=ROOT, check=True, capture_output=True).stdout


def found(files: Iterator[tuple[str, bytes]]) -> set[tuple[str, str, str]]:
    """File, kind and value of what looks like a secret and is not explained."""
    suspects = set()
    with tempfile.TemporaryDirectory() as scratch, default_settings():
        for name, content in files:
            path = Path(scratch, "file").with_suffix(Path(name).suffix)
            path.write_bytes(content)
            suspects |= {(name, secret.type, secret.secret_value or "") for secret in scan_file(str(path))}
            path.unlink()
    return {suspect for suspect in suspects if not any(all(map(re.fullmatch, rule, suspect)) for rule in KNOWN)}


if __name__ == "__main__":
    leaks = sorted(found(ever()))
    for name, kind, value in leaks:
        print(f"{name}: {kind}, {value[:4]}… of {len(value)} characters")
    print(f"{len(leaks)} found that look like a secret and are not explained")
    sys.exit(bool(leaks))
