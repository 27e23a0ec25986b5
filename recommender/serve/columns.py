"""Many events at once, as columns: how those of simulated viewers are stored, and how all of an experiment are read."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import fields
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from pandas.api.types import union_categoricals
from sqlalchemy import Connection, func, select

from recommender.serve import checks
from recommender.serve.checks import refuse
from recommender.serve.events import ALWAYS, CHECKS, OF_NO_FILM, Event, standing
from recommender.serve.tables import REAL, TRIED, events

NAMES = tuple(f.name for f in fields(Event) if f.name != "target")  # simulated viewers take nothing back
NEEDED = ("viewer", "kind", "id", "at", "simulated")
WHOLE = ("film", "position", "local_hour")
RANGES = (*WHOLE, "at", "score", "propensity")  # what is allowed lies between two numbers
READ = ("seq", "viewer", "kind", "film", "stars", "at", "recommendation", "row", "position", "time_of_day", "device", "arm", "simulated", "note")
WORDS = ("viewer", "kind", "recommendation", "row", "time_of_day", "device", "arm", "note")
AT_ONCE = 100_000  # rows that are read at once
BEFORE = 28 * 86_400  # seconds


class Recorded(NamedTuple):
    """An experiment of which there are events: by how many viewers and how many, simulated or by people, and when the first and the last, unix s."""

    experiment: str
    simulated: bool
    viewers: int
    events: int
    first: float
    last: float


def checked(columns: Mapping[str, Any]) -> dict[str, np.ndarray]:
    """The columns as they are stored, each (N,), None where nothing is known, the rows of one viewer together. A ValueError names a column, the
    value and what is wanted, as an event does.

    columns: name -> N values, or one for all; text as text, notes as text of JSON; unknown is None or nan.
    """
    if odd := sorted(set(columns) - set(NAMES)):
        raise ValueError(f"column {odd[0]!r} is not known, wanted some of {', '.join(NAMES)}")
    if missing := [name for name in NEEDED if name not in columns]:
        raise ValueError(f"column {missing[0]!r} is missing, wanted {', '.join(NEEDED)} at least")
    lengths = {name: len(values) for name, values in columns.items() if not _single(values)}
    n = next(iter(lengths.values()), 1)
    if wrong := [name for name, length in lengths.items() if length != n]:
        raise ValueError(f"column {wrong[0]!r} has {lengths[wrong[0]]} rows, {next(iter(lengths))!r} has {n}")
    given = {"note": "{}", **columns}
    made = {name: _column(name, given.get(name), n) for name in NAMES}
    _check_together(made)
    order = np.argsort(made["viewer"].astype(str), kind="stable")  # an index takes neighbours sooner
    return {name: made[name][order] for name in given}


def _single(values: Any) -> bool:
    return values is None or isinstance(values, str) or np.ndim(values) == 0


def _column(name: str, values: Any, n: int) -> np.ndarray:
    """(N,) values as they are stored. Of many numbers in a range the ends are checked, of anything else each distinct value once."""
    if _single(values):
        return np.full(n, None if values is None and name not in ALWAYS else _value(name, values), object)
    if name in RANGES and (numbers := np.asarray(values)).dtype.kind in "iuf":
        return _between(name, numbers)
    try:
        codes, distinct = pd.factorize(np.asarray(values, object))
    except TypeError:
        raise refuse(name, values, "plain values") from None
    if name in ALWAYS and (codes < 0).any():
        _value(name, None)
    return np.array([*(_value(name, value) for value in distinct), None], object)[codes]


def _value(name: str, value: Any) -> Any:
    """One value as it is stored."""
    if name != "note":
        return CHECKS[name](name, value)
    try:
        return json.dumps(checks.note(name, json.loads(value)), ensure_ascii=False)
    except (TypeError, json.JSONDecodeError):
        raise refuse(name, value, "text of JSON") from None


def _between(name: str, numbers: np.ndarray) -> np.ndarray:
    known = ~np.isnan(numbers)
    if name in ALWAYS and not known.all():
        _value(name, None)
    some = numbers[known]
    if name in WHOLE and (parts := some % 1 != 0).any():
        _value(name, some[parts][0])
    for end in (some.min(), some.max()) if len(some) else ():
        _value(name, int(end) if name in WHOLE else end)
    made = np.full(len(numbers), None, object)
    made[known] = (some.astype(np.int64) if name in WHOLE else some).tolist()
    return made


def _check_together(made: Mapping[str, np.ndarray]) -> None:
    """What the columns must be to each other; see Event."""
    kind, known = made["kind"], {name: ~pd.isna(made[name]) for name in ("film", "stars", "experiment", "arm")}
    for name, wrong, wanted in (
        ("simulated", made["simulated"] == False, "True: what people did is stored event by event"),  # noqa: E712
        ("kind", kind == "undo", "another: simulated viewers take nothing back"),
        ("film", ~known["film"] & ~np.isin(kind.astype(str), OF_NO_FILM), "a film, or a kind that needs none"),
        ("stars", known["stars"] != (kind == "rating"), "stars for each rating, and for nothing else"),
        ("arm", known["arm"] != known["experiment"], "an experiment and its arm, or neither"),
    ):
        if wrong.any():
            raise refuse(name, made[name][np.argmax(wrong)], wanted)


def insert(connection: Connection, columns: Mapping[str, np.ndarray]) -> int:
    """Store what `checked` gave back, and say how many events were new. The driver itself is asked: it takes rows several times faster."""
    names, place = _spoken(connection, columns)
    rows = list(zip(*(column.tolist() for column in columns.values()), strict=True))
    if not rows:
        return 0
    said = f"INSERT INTO events ({names}) VALUES ({', '.join([place] * len(columns))}) ON CONFLICT (viewer, id) DO NOTHING"
    return connection.exec_driver_sql(said, rows, {"preserve_rowcount": True}).rowcount


def read(connection: Connection, experiment: str) -> pd.DataFrame:
    """READ of every event of an experiment that was not taken back, in the order of storing; words as categories. Of people also what they did in
    the BEFORE seconds before the first of them, whatever experiment it was of, with no arm."""
    names, place = _spoken(connection, READ)
    found = _table(connection, f"SELECT {names} FROM events WHERE experiment = {place} ORDER BY seq", experiment)
    real = found["at"][~found["simulated"]]
    if real.empty:
        return found
    people = f"NOT simulated AND viewer IN (SELECT viewer FROM events WHERE experiment = {place} AND NOT simulated)"
    earlier = f"{people} AND at >= {place} AND at < {place} AND (experiment IS NULL OR experiment <> {place})"
    begin = float(real.min())
    names = ", ".join("NULL" if name == "arm" else _spoken(connection, [name])[0] for name in READ)  # an arm of another experiment is none of this
    before = _table(connection, f"SELECT {names} FROM events WHERE {earlier} ORDER BY seq", experiment, begin - BEFORE, begin, experiment)
    found = _joined([before, found]).sort_values("seq", ignore_index=True)
    return found[~found["seq"].isin(_taken_back(connection, experiment))].reset_index(drop=True)


def _spoken(connection: Connection, names: Iterable[str]) -> tuple[str, str]:
    """Names of columns as the database wants them written, and how its driver marks the place of a value."""
    quote = connection.dialect.identifier_preparer.quote_identifier
    return ", ".join(map(quote, names)), "?" if connection.dialect.paramstyle == "qmark" else "%s"


def _table(connection: Connection, asked: str, *values: Any) -> pd.DataFrame:
    """Rows of READ as columns, by the driver itself."""
    with closing(connection.connection.cursor()) as cursor:
        cursor.execute(asked, values)
        return _joined([_frame(rows) for rows in iter(partial(cursor.fetchmany, AT_ONCE), [])] or [_frame([])])


def _frame(rows: Sequence[Any]) -> pd.DataFrame:
    """Rows of READ as columns."""
    columns = dict(zip(READ, zip(*rows, strict=True), strict=True)) if rows else dict.fromkeys(READ, ())
    made: dict[str, Any] = {name: pd.Categorical(pd.array(columns[name], "str")) for name in WORDS}
    made |= {name: np.array(columns[name], float) for name in ("film", "stars", "at", "position")}
    made |= {"seq": np.array(columns["seq"], np.int64), "simulated": np.array(columns["simulated"], bool)}
    return pd.DataFrame({name: made[name] for name in READ})


def _joined(parts: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """The parts one below the other."""
    if len(parts) == 1:
        return parts[0]
    words = {name: union_categoricals([part[name] for part in parts]) for name in WORDS}
    return pd.DataFrame({name: words[name] if name in words else np.concatenate([part[name] for part in parts]) for name in READ})


def _taken_back(connection: Connection, experiment: str) -> set[int]:
    """The numbers of the events of people in an experiment that do not stand, and of the undos."""
    there = select(events.c.viewer).where(REAL, events.c.experiment == experiment)
    undoing = select(events.c.viewer).where(REAL, events.c.kind == "undo", events.c.viewer.in_(there))
    asked = select(events.c.seq, events.c.viewer, events.c.id, events.c.kind, events.c.target).where(REAL, events.c.viewer.in_(undoing))
    of: dict[str, list[Any]] = {}
    for row in connection.execute(asked.order_by(events.c.seq)):
        of.setdefault(row.viewer, []).append(row)
    kept = {viewer: {event.id for event in standing(rows)} for viewer, rows in of.items()}
    return {row.seq for rows in of.values() for row in rows if row.id not in kept[row.viewer]}


def recorded(connection: Connection) -> list[Recorded]:
    """Every experiment of which there are events, simulated ones and those on people apart, the latest first."""
    of, at = (events.c.experiment, events.c.simulated), events.c.at
    asked = select(*of, func.count(events.c.viewer.distinct()), func.count(), func.min(at), func.max(at)).where(TRIED).group_by(*of)
    return sorted((Recorded(*row) for row in connection.execute(asked)), key=lambda r: (-r.last, r.experiment, r.simulated))
