"""A PostgreSQL server of one's own, for one session of tests: on loopback, a free port and a temporary folder, with a password."""

from __future__ import annotations

import os
import pwd
import secrets
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

OPTIONS = "-F -c listen_addresses=127.0.0.1 -c unix_socket_directories='' -c max_connections=60 -c shared_buffers=16MB"


def programs() -> Path | None:
    """The folder with initdb and pg_ctl; None where PostgreSQL is not installed."""
    on_path = [Path(path).resolve().parent for path in (shutil.which("pg_ctl"),) if path]
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    return next((folder for folder in (*on_path, *debian) if (folder / "initdb").exists() and (folder / "pg_ctl").exists()), None)


@contextmanager
def server(folder: Path) -> Iterator[str]:
    """Its address without a database, "postgresql://postgres:PASSWORD@127.0.0.1:PORT"; it is stopped and removed at the end.

    PostgreSQL refuses to run as root, so root has the user postgres, or nobody, run it.
    """
    home, password, who = Path(tempfile.mkdtemp(prefix="marquee-postgres-")), secrets.token_hex(16), _servant()
    secret, data = home / "password", home / "data"
    secret.write_text(password)
    if who:
        for path in (home, secret):
            os.chown(path, who.pw_uid, who.pw_gid)
    try:
        _run(who, home, folder / "initdb", "-D", data, "-U", "postgres", "-A", "scram-sha-256", f"--pwfile={secret}", "-E", "UTF8", "-N")
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            port = s.getsockname()[1]
        try:
            _run(who, home, folder / "pg_ctl", "-D", data, "-l", home / "log", "-w", "-t", "60", "-o", f"{OPTIONS} -p {port}", "start")
            yield f"postgresql://postgres:{password}@127.0.0.1:{port}"
        finally:
            if (data / "postmaster.pid").exists():
                _run(who, home, folder / "pg_ctl", "-D", data, "-m", "immediate", "-w", "stop")
    finally:
        shutil.rmtree(home, ignore_errors=True)


@contextmanager
def database(address: str, name: str) -> Iterator[str]:
    """The address of a fresh database on a server; it is dropped at the end."""
    with psycopg.connect(f"{address}/postgres", autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
        try:
            yield f"{address}/{name}"
        finally:
            connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


def _servant() -> pwd.struct_passwd | None:
    if os.geteuid() != 0:
        return None
    return next(user for name in ("postgres", "nobody") for user in pwd.getpwall() if user.pw_name == name)


def _run(who: pwd.struct_passwd | None, home: Path, *command: str | Path) -> None:
    """Run a program to its end; what it says goes to a file, since a server that it starts would keep the other end of a pipe open."""
    other = {"user": who.pw_uid, "group": who.pw_gid, "extra_groups": []} if who else {}
    clean = {"PATH": os.environ.get("PATH", ""), "LC_ALL": "C.UTF-8", "HOME": str(home)}
    with (home / "said").open("ab") as out:
        done = subprocess.run(list(map(str, command)), cwd=home, env=clean, stdout=out, stderr=out, timeout=120, **other)
    said = "\n".join(path.read_text() for path in (home / "said", home / "log") if path.exists())
    assert done.returncode == 0, f"{command[0]} ended with {done.returncode}:\n{said}"
