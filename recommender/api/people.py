"""Who asks: an id or a name, and how the house knows them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from recommender.api.answered import Known
from recommender.api.problems import Problem, shown
from recommender.api.reach import lasting
from recommender.names import nearest
from recommender.serve.events import VIEWER
from recommender.serve.guests import blank, guest
from recommender.serve.service import Service
from recommender.serve.viewers import Viewer, viewer_named

_NUMBER = re.compile(r"(?:ml-)?0*([0-9]{1,9})")
_OWN = re.compile(r"me-[a-z0-9-]{1,61}")
SIMULATED = "sim-"  # how ids of simulated viewers begin


@dataclass(frozen=True)
class Person:
    """Somebody who asks. notes: sentences for the answer, such as that nobody knows the id."""

    viewer: Viewer
    known: Known
    notes: tuple[str, ...] = ()


def person(service: Service, user_id: str | int | None = None, viewer: str | None = None, where: str = "body") -> Person:
    """Whoever `user_id` or `viewer` means; nobody where neither is given.

    user_id: an id of the house, the number of a MovieLens user with or without "ml-", the name of a demo viewer, an id that has sent feedback; any
    other well-formed one is somebody new. viewer: a viewer of the house by id or name, those that people made by name only in a household.
    Problem 422 for an id that is none or where both are given, 404 for a viewer that there is not, 409 for a name of several; FeedbackError for
    anybody while the store is away, which alone knows what they hid.
    """
    if viewer is not None and user_id is not None:
        raise refused(f"{where}.viewer", viewer, "user_id or viewer, not both")
    if viewer is not None:
        return _viewer(service, viewer, f"{where}.viewer")
    return Person(blank(), "nobody") if user_id is None else _user(service, user_id, f"{where}.user_id")


def refused(where: str, value: object, wanted: str) -> Problem:
    """The problem of a value that is not what is wanted."""
    wrong = "missing" if value is None else shown(value)
    return Problem(422, "not wanted", f"{where} is {wrong}: wanted {wanted}", errors=[{"where": where, "wrong": wrong, "wanted": wanted}])


def one_of(where: str, value: str, known: Iterable[str]) -> str:
    """The known word that a value is, capitals aside; Problem 422 names the nearest."""
    by_letters = {word.casefold(): word for word in known}
    if value.casefold() not in by_letters:
        raise refused(where, value, among("a known one", value, list(by_letters.values())))
    return by_letters[value.casefold()]


def model_named(where: str, name: str, known: Iterable[str]) -> str:
    """The model of this name, capitals aside; Problem 404 names the nearest that is loaded."""
    by_letters = {model.casefold(): model for model in known}
    if name.casefold() not in by_letters:
        wrong, wanted = shown(name), among("one that is loaded", name, list(by_letters.values()))
        errors = [{"where": where, "wrong": wrong, "wanted": wanted}]
        raise Problem(404, "no such model", f"{where} is {wrong}: wanted {wanted}", errors=errors)
    return by_letters[name.casefold()]


def among(what: str, name: str, known: list[str]) -> str:
    """What is wanted instead of a name that is not known: the nearest, else one of all there are."""
    return f"{what}{nearest(name, known)}".removeprefix(f"{what}; wanted ")


def _user(service: Service, user_id: str | int, where: str) -> Person:
    name = str(user_id).strip()
    if number := _NUMBER.fullmatch(name):
        name = f"ml-{number[1]}"
    if made := _of_the_house(service, name):
        return made
    if demo := _named(service.viewers, name):
        return Person(_now(service, demo.id), "demo")
    if not VIEWER.fullmatch(name):
        raise refused(where, user_id, "1 to 64 small letters, digits and hyphens, or the name of a demo viewer")
    lasting(service)
    known = guest(service, name)
    said = () if known is None or len(known.profile) else (f"What {name} has sent says nothing of a taste yet.",)
    absent = (f"{name} is not in the data set here.",) if number else ()
    if known is not None:
        return Person(known, "feedback", (*absent, *said))
    return Person(blank(name), "nobody", (*absent, f"Nobody knows {name} here, so somebody new is answered; feedback under this id counts at once."))


def _now(service: Service, name: str) -> Viewer:
    """A viewer with all that they said; KeyError where there is none."""
    lasting(service)
    return service.person(name)


def _viewer(service: Service, name: str, where: str) -> Person:
    if made := _of_the_house(service, f"ml-{number[1]}" if (number := _NUMBER.fullmatch(name)) else name):
        return made
    listed = service.viewers | (service.feedback.viewers(service.catalog) if service.settings.household else {})
    try:
        meant = viewer_named(listed, name)
    except KeyError:
        lasting(service)
        hint = nearest(name, [v.name for v in service.viewers.values()])
        raise Problem(404, "no such viewer", f"{where} is {shown(name)}, which nobody is called here{hint}") from None
    except ValueError as error:
        raise Problem(409, "a name of several viewers", str(error)) from None
    return Person(_now(service, meant.id), "demo" if meant.id in service.viewers else "made here")


def _of_the_house(service: Service, name: str) -> Person | None:
    """The viewer of this id, where the house has one."""
    kind: Known = "demo" if name in service.viewers else "data set" if _NUMBER.fullmatch(name) else "made here"
    if kind == "made here" and not _OWN.fullmatch(name):
        return None
    try:
        return Person(_now(service, name), kind)
    except KeyError:  # of these forms, and nobody
        return None


def _named(viewers: Mapping[str, Viewer], name: str) -> Viewer | None:
    try:
        return viewer_named(viewers, name)
    except KeyError:
        return None
