"""Names and small phrases for the screen."""

from __future__ import annotations

import re
from pathlib import Path

from recommender.serve import phrases
from recommender.serve.inquiry import words_of_fame
from recommender.settings import settings
from recommender.types import Context, Filters

DEVICE = {"mobile": "mobile", "tablet": "tablet", "desktop": "desktop", "tv": "TV"}
KIND = {
    "film": "You watched", "sequence": "Your last films", "genre": "Genre", "person": "Person",
    "crowd": "Similar tastes", "context": "Time and device", "popularity": "Popularity", "setting": "You set",
}  # fmt: skip


def md(text: str) -> str:
    """Text as it stands, in a place where Streamlit reads Markdown: M*A*S*H, :red[x], <b> and $x$ stay what they are."""
    return re.sub(r"([\\`*_{}\[\]()#+\-.!|~$:<>^])", r"\\\1", text).replace("\n", " ")


def told(error: Exception | str) -> str:
    """What an error of the store or the models says, without the folders that they lie in: whoever looks at the page has no need of them."""
    store = Path(settings().database_url.removeprefix("sqlite:///")).parent
    return str(error).replace(f"{settings().artifacts}/", "").replace(f"{store}/", "")


def named(option: str) -> str:
    """A time of day or a device as a label."""
    return DEVICE.get(option, option) if option == "tv" else option.capitalize()


def now(time_of_day: str | None) -> str:
    return {"night": " tonight", None: ""}.get(time_of_day, f" this {time_of_day}")


def moment(context: Context) -> str:
    """'evening on TV', as far as it is known."""
    device = DEVICE.get(context.device or "", "")
    return " on ".join(part for part in (context.time_of_day or ("any time" if not device else "any time of day"), device) if part)


def model(name: str) -> str:
    """What a model does, as a label."""
    return phrases.PART_NAMES.get(name, name.replace("_", " "))


def filters(f: Filters) -> str:
    """'films of at most 95 minutes, PG or milder, in colour'; "" where nothing is asked for."""
    asked = [
        f"at most {f.minutes} minutes" if f.minutes else "",
        f"{f.certificate} or milder" if f.certificate else "",
        "colour" if f.in_colour else "",
        f"the {f.decade}s" if f.decade is not None else "",
        f"{f.stars:g} stars or more" if f.stars else "",
        words_of_fame(f.fame).removeprefix("films ") if f.fame else "",
    ]
    said = ", ".join(filter(None, asked))
    return f"films of {said}" if said else ""


def counted(n: int, one: str, many: str | None = None) -> str:
    return f"{n:,} {one if n == 1 else many or one + 's'}"
