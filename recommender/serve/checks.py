"""What a stored value may be. Each check takes the name of a field and its value and gives the value back as it is stored, or raises a ValueError."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable
from numbers import Integral, Real
from typing import Any

import numpy as np

NOTE_BYTES = 4096


def refuse(name: str, value: object, wanted: str) -> ValueError:
    """The error of a value that is not what is wanted."""
    shown = repr(value)
    return ValueError(f"{name} is {shown if len(shown) <= 80 else shown[:77] + '…'}, wanted {wanted}")


def matching(pattern: re.Pattern[str], wanted: str, name: str, value: Any) -> str:
    """A text of this pattern, from end to end."""
    if not isinstance(value, str) or not pattern.fullmatch(value):
        raise refuse(name, value, wanted)
    return value


def one_of(known: tuple[str, ...], name: str, value: Any) -> str:
    """One of a few words."""
    if not isinstance(value, str) or value not in known:
        raise refuse(name, value, f"one of {', '.join(known)}")
    return value


def text(longest: int, name: str, value: Any) -> str:
    """A text that both databases can hold: no NUL, no half of a surrogate pair."""
    if not isinstance(value, str) or not 1 <= len(value) <= longest or re.search("[\0\ud800-\udfff]", value):
        raise refuse(name, value, f"1 to {longest} characters of text without NUL")
    return value


def line(longest: int, name: str, value: Any) -> str:
    """A text of one line that is not all blank, and has nothing in it that steers a terminal or turns the direction of writing around."""
    if not text(longest, name, value).strip() or re.search("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]", value):
        raise refuse(name, value, f"a line of 1 to {longest} characters")
    return value


def whole(most: int, name: str, value: Any) -> int:
    """A whole number from 0 on; one of numpy becomes one of Python."""
    if not isinstance(value, Integral) or isinstance(value, bool) or not 0 <= int(value) <= most:
        raise refuse(name, value, f"a whole number from 0 to {most}")
    return int(value)


def number(allowed: Callable[[float], bool], wanted: str, name: str, value: Any) -> float:
    """A finite number; one of numpy becomes one of Python."""
    try:
        plain = float(value) if isinstance(value, Real) and not isinstance(value, bool) else math.nan
    except OverflowError:
        plain = math.inf
    if not math.isfinite(plain) or not allowed(plain):
        raise refuse(name, value, wanted)
    return plain


def flag(name: str, value: Any) -> bool:
    """Yes or no; one of numpy becomes one of Python."""
    if not isinstance(value, bool | np.bool):
        raise refuse(name, value, "True or False")
    return bool(value)


def note(name: str, value: Any) -> dict[str, Any]:
    """A small object, as JSON gives it back: what is stored then equals what was said."""
    wanted = f"an object of JSON of at most {NOTE_BYTES} bytes"
    try:
        written = json.dumps(value, ensure_ascii=False, allow_nan=False)
        size = len(written.encode())
    except (TypeError, ValueError, RecursionError):
        raise refuse(name, value, wanted) from None
    if not isinstance(value, dict) or size > NOTE_BYTES:
        raise refuse(name, value, wanted)
    return json.loads(written)
