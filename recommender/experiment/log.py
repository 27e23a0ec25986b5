"""What happened in an experiment, summed for each viewer and day: all that its analysis reads."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date
from lzma import LZMAError
from pathlib import Path
from typing import Any
from zipfile import ZIP_LZMA, BadZipFile, ZipFile

import numpy as np

from recommender.experiment.metrics import FIELDS

UNASSIGNED = -1  # the arm of the holdout

# Of one viewer on one day. Counts: visits, shown (films), clicks, watches, hides, rare (films shown that are not among the 200 best known), rated and
# timed (how many gave stars, how many times the clock ran). Sums: minutes; stars; diversity, a mean distance in [0, 1] a visit; latency in
# milliseconds. How finely each is kept in a file:
STEPS = dict.fromkeys(FIELDS, 1.0) | {"stars": 0.5, "diversity": 0.01, "latency": 0.01}


class LogError(ValueError):
    """A file that is no log of an experiment: which, what is wrong, what is wanted."""


@dataclass(frozen=True, eq=False)
class Log:
    """V viewers, D days. Days before 0 are before the experiment. sums: field -> (V, D) float64.

    arms (V,): number of the arm in the plan, UNASSIGNED for the holdout; several (V,): viewers who met more than one arm;
    segments: name -> (labels, codes (V,)), known of a viewer before the experiment; first: the date of day 0.
    """

    days: np.ndarray  # (D,) consecutive
    arms: np.ndarray
    sums: dict[str, np.ndarray]
    segments: dict[str, tuple[tuple[str, ...], np.ndarray]] = field(default_factory=dict)
    several: np.ndarray = field(default_factory=lambda: np.empty(0, bool))
    simulated: bool = False
    first: date | None = None

    def __post_init__(self) -> None:
        v, d = len(self.arms), len(self.days)
        if not len(self.several):
            object.__setattr__(self, "several", np.zeros(v, bool))
        if len(self.several) != v or any(len(codes) != v for _, codes in self.segments.values()):
            raise ValueError(f"log has {v} arms, {len(self.several)} marks of several arms; wanted one a viewer, and a code of each segment")
        if missing := [name for name in FIELDS if name not in self.sums]:
            raise ValueError(f"log lacks {', '.join(missing)}")
        for name in FIELDS:
            if self.sums[name].shape != (v, d):
                raise ValueError(f"log has {name} of shape {self.sums[name].shape}, wanted {(v, d)}: viewers, days")
            if not np.isfinite(self.sums[name]).all() or self.sums[name].min(initial=0) < 0:
                raise ValueError(f"log has {name} that are negative or not finite; wanted 0 or more")
        if d and (np.diff(self.days) != 1).any():
            raise ValueError(f"days are {self.days.tolist()}, wanted consecutive ones")

    def __len__(self) -> int:
        return len(self.arms)

    @property
    def during(self) -> np.ndarray:
        """(D,) bool: days of the experiment itself."""
        return self.days >= 0

    def total(self, name: str, until: int | None = None, before: bool = False) -> np.ndarray:  # (V,)
        """A field summed over the days of the experiment up to and with `until`, or over the days before it."""
        chosen = self.days < 0 if before else self.during & (self.days <= (self.days[-1] if until is None else until))
        return self.sums[name][:, chosen].sum(axis=1)

    @property
    def exposed(self) -> np.ndarray:  # (V,)
        """Day on which a viewer first came in the experiment; the number after the last for those who never did."""
        came = (self.sums["visits"] > 0) & self.during
        return np.where(came.any(axis=1), self.days[came.argmax(axis=1)], self.days[-1] + 1)

    def keep(self, viewers: np.ndarray) -> Log:
        """The viewers of a mask or of numbers, in that order."""
        return replace(
            self,
            arms=self.arms[viewers],
            sums={name: values[viewers] for name, values in self.sums.items()},
            segments={name: (labels, codes[viewers]) for name, (labels, codes) in self.segments.items()},
            several=self.several[viewers],
        )

    def save(self, path: Path) -> Path:
        """Write the log as .npz, whole or not at all: a bit a viewer and day, and whole numbers of STEPS for the days on which something happened."""
        some = np.zeros((len(self), len(self.days)), bool)
        for values in self.sums.values():
            some |= values > 0
        kept = {name: _small(np.rint(values[some] / STEPS[name])) for name, values in self.sums.items()}
        segments = {f"segment_{name}": codes.astype(np.uint8) for name, (_, codes) in self.segments.items()}
        labels = {f"labels_{name}": np.array(labels) for name, (labels, _) in self.segments.items()}
        facts = np.array([str(self.first or ""), str(int(self.simulated)), str(int(self.days[0])), str(len(self.days))])
        bits = {"some": np.packbits(some), "several": np.packbits(self.several)}
        arrays: dict[str, Any] = {"arms": self.arms.astype(np.int8), "facts": facts, **bits, **kept, **segments, **labels}
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(".part")
        with ZipFile(part, "w", ZIP_LZMA) as file:  # as numpy's own .npz, but smaller
            for name, array in arrays.items():
                with file.open(f"{name}.npy", "w") as entry:
                    np.lib.format.write_array(entry, array, allow_pickle=False)
        return part.replace(path)

    @classmethod
    def load(cls, path: Path) -> Log:
        """Read what save wrote. A LogError names the file and what is wrong."""
        try:
            with np.load(path, allow_pickle=False) as file:
                arms = file["arms"].astype(np.int64)
                first, simulated, begin, n_days = file["facts"].tolist()
                days = int(begin) + np.arange(int(n_days))
                some = np.unpackbits(file["some"], count=len(arms) * len(days)).astype(bool).reshape(len(arms), len(days))
                sums = {}
                for name in FIELDS:
                    sums[name] = np.zeros(some.shape)
                    sums[name][some] = file[name] * STEPS[name]
                names = [name.removeprefix("segment_") for name in file.files if name.startswith("segment_")]
                segments = {name: (tuple(file[f"labels_{name}"].tolist()), file[f"segment_{name}"].astype(np.int64)) for name in names}
                several = np.unpackbits(file["several"], count=len(arms)).astype(bool)
            return cls(days, arms, sums, segments, several, simulated == "1", date.fromisoformat(first) if first else None)
        except (OSError, ValueError, KeyError, EOFError, BadZipFile, LZMAError) as error:
            reason = "it is no .npz file" if "pickle" in str(error) else error  # numpy takes any other file for a pickle
            raise LogError(f"{path} cannot be read: {reason}; wanted a log that `experiment run` wrote") from None


def _small(values: np.ndarray) -> np.ndarray:
    """Whole numbers in the smallest type that holds them."""
    return values.astype(np.min_scalar_type(int(values.max(initial=0))))
