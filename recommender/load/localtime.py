"""The local part of day of a rating, from the ZIP code its user gave and the daylight saving of that place at that moment."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

import numpy as np
import zipcodes

from recommender.interactions import UNKNOWN

_DAY = 86_400
_ZIP = re.compile(r"(\d{5})(?:-\d{4})?")
_FILLERS = frozenset({"00000", "12345", "55555", "99999"})  # typed to get past the form; two of them are real places
_PARTS = np.array([3] * 5 + [0] * 7 + [1] * 5 + [2] * 4 + [3] * 3, np.int8)  # local hour -> index into TIMES_OF_DAY


@cache
def _zones() -> dict[str, str]:
    """ZIP code -> zone, for all ZIP codes in use whose zone is one that the time zone database knows. Asked by first digits: the library keeps the
    list of all, with everything it knows of them, for good, and that is 140 MB."""
    known = {zone: zone for zone in available_timezones()}
    places = (place for first in range(100) for place in zipcodes.similar_to(f"{first:02d}"))
    return {place["zip_code"]: known[place["timezone"]] for place in places if place["timezone"] in known}


def zone_of(zip_code: str) -> str | None:
    """The time zone of a US ZIP code ("98107" or "98107-2117"), or None where it is none or not known."""
    found = _ZIP.fullmatch(zip_code.strip())
    return None if not found or found[1] in _FILLERS else _zones().get(found[1])


def offsets(zone: str, times: np.ndarray) -> np.ndarray:
    """Local minus universal time [seconds] at `times` [unix seconds] in `zone`.

    The clock is asked once a day over the span of times; where two days differ, halving finds the second it was changed.
    """
    place = ZoneInfo(zone)

    def offset(second: int) -> int:
        delta = datetime.fromtimestamp(second, UTC).astimezone(place).utcoffset()
        return 0 if delta is None else int(delta.total_seconds())

    days = list(range(int(times.min()) // _DAY * _DAY, int(times.max()) + _DAY + 1, _DAY))
    daily = [offset(day) for day in days]
    starts, values = [days[0]], [daily[0]]  # from starts[n] on the offset is values[n]
    for low, high, before, after in zip(days, days[1:], daily, daily[1:]):
        if before != after:
            while high - low > 1:
                middle = (low + high) // 2
                low, high = (middle, high) if offset(middle) == before else (low, middle)
            starts.append(high)
            values.append(after)
    return np.array(values)[np.searchsorted(starts, times, side="right") - 1]


def part_of_day(local_hours: np.ndarray) -> np.ndarray:
    """Local hours (0 to 23) -> index into TIMES_OF_DAY: morning 5-12, afternoon 12-17, evening 17-21, night 21-5."""
    return _PARTS[local_hours]


def local_offsets(users: np.ndarray, times: np.ndarray, zip_codes: list[str]) -> np.ndarray:
    """int32 (N,) local minus universal time [seconds] of each row; UNKNOWN where the user's ZIP code (by user number) is no US ZIP."""
    zones = [zone_of(code) for code in zip_codes]
    names = sorted({zone for zone in zones if zone})
    number = {zone: n for n, zone in enumerate(names)}
    of_row = np.array([number.get(zone or "", -1) for zone in zones], np.int16)[users]
    found = np.full(len(users), UNKNOWN, np.int32)
    for zone, n in number.items():
        rows = np.flatnonzero(of_row == n)
        if len(rows):
            found[rows] = offsets(zone, times[rows])
    return found


def local_hours(users: np.ndarray, times: np.ndarray, zip_codes: list[str]) -> np.ndarray:
    """int8 (N,) hour of day (0 to 23) on the user's own clock; UNKNOWN where its offset is."""
    found = local_offsets(users, times, zip_codes)
    return np.where(found == UNKNOWN, UNKNOWN, (times + found) % _DAY // 3600).astype(np.int8)


def times_of_day(users: np.ndarray, times: np.ndarray, zip_codes: list[str]) -> np.ndarray:
    """int8 (N,) index into TIMES_OF_DAY of each row; UNKNOWN where its local hour is."""
    hours = local_hours(users, times, zip_codes)
    return np.where(hours == UNKNOWN, np.int8(UNKNOWN), part_of_day(hours))
