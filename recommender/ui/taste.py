"""What the viewer said of films during this visit: love, like, not for me, hide, watch-list, do not use. Kept in the session only."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import streamlit as st

MARKS = ("love", "like", "dislike")


@dataclass
class Taste:
    """By external film id."""

    marks: dict[int, str] = field(default_factory=dict)
    listed: list[int] = field(default_factory=list)
    hidden: set[int] = field(default_factory=set)
    unused: list[int] = field(default_factory=list)  # of what the viewer rated: films that no reasoning may use

    def data(self) -> dict[str, Any]:
        return {"marks": {str(film): mark for film, mark in self.marks.items()}, "list": self.listed}

    def act(self, act: dict[str, Any], film: int) -> None:
        """Apply a click: marks replace each other, the watch-list and hiding are switches."""
        if act["do"] == "mark":
            self.marks.pop(film, None)
            if act.get("mark") in MARKS:
                self.marks[film] = act["mark"]
        elif act["do"] == "list":
            self.listed.remove(film) if film in self.listed else self.listed.append(film)
        elif act["do"] == "hide":
            self.hidden ^= {film}
        elif act["do"] == "unuse" and film not in self.unused:
            self.unused.append(film)
        elif act["do"] == "reuse" and film in self.unused:
            self.unused.remove(film)


def taste(viewer: str) -> Taste:
    """Of one viewer in this visit."""
    return st.session_state.setdefault("mq_taste", {}).setdefault(viewer, Taste())
