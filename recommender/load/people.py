"""What an edition says of its users: gender and age, for figures by group. Nothing of it reaches a model."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from recommender.load import files

AGES = (("under 18", 0, 18), ("18-24", 18, 25), ("25-34", 25, 35), ("35-44", 35, 45), ("45-54", 45, 55), ("55 and over", 55, 200))
LAYOUTS = {  # file -> separator, columns
    "users.dat": ("::", ("user id", "gender", "age", "occupation", "ZIP code")),
    "u.user": ("|", ("user id", "age", "gender", "occupation", "ZIP code")),
}


def read_people(folder: Path, user_ids: np.ndarray) -> dict[str, np.ndarray]:
    """Segment such as "gender=F" or "age=25-34" -> (U,) bool, which of user_ids (U,) belong to it; empty for editions without a user file.

    MovieLens 1M gives ages as the lowest of a range; its range 50-55 counts here as 45-54.
    """
    for name, (separator, columns) in LAYOUTS.items():
        if (folder / name).is_file():
            return _segments(folder / name, separator, columns, user_ids)
    return {}


def _segments(path: Path, separator: str, columns: tuple[str, ...], user_ids: np.ndarray) -> dict[str, np.ndarray]:
    found = {}
    for line, fields in files.split_lines(path, "latin-1", separator, columns):
        known = dict(zip(columns, fields))
        if known["gender"] not in ("F", "M"):
            raise files.fault(path, line, f"gender is {files.short(known['gender'])}", "F or M")
        found[files.whole(path, line, "user id", known["user id"])] = (known["gender"], files.whole(path, line, "age", known["age"]))
    gender, age = zip(*(found.get(user, ("", -1)) for user in user_ids.tolist()))
    ages, genders = np.array(age), np.array(gender)
    groups = {f"gender={g}": genders == g for g in ("F", "M")} | {f"age={name}": (ages >= low) & (ages < high) for name, low, high in AGES}
    return {name: members for name, members in groups.items() if members.any()}
