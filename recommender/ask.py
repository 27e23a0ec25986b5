"""The commands that ask for one viewer: what to watch, why a film stands where it stands, why another does not."""

from __future__ import annotations

import json
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

from recommender.names import nearest
from recommender.settings import settings
from recommender.types import CERTIFICATES, DEVICES, FAME, TIMES_OF_DAY, Context, Filters, Query

if TYPE_CHECKING:
    from recommender.serve.service import Service
    from recommender.serve.viewers import Viewer

console = Console()
ALL_SIGNALS = ("time_of_day", "device")
ALL_REASONS = 10_000

TimeOfDay = StrEnum("TimeOfDay", {t: t for t in TIMES_OF_DAY})  # type: ignore[misc]
Device = StrEnum("Device", {d: d for d in DEVICES})  # type: ignore[misc]
Certificate = StrEnum("Certificate", {c: c for c in CERTIFICATES})  # type: ignore[misc]
Fame = StrEnum("Fame", {f: f for f in FAME})  # type: ignore[misc]

ViewerOption = Annotated[
    str | None, typer.Option("--viewer", help="A demo viewer, or one made in the app, by name or id; or a MovieLens user as ml-123.")
]
UserOption = Annotated[int | None, typer.Option("--user", help="A MovieLens user by id (needs the data set: see fetch).")]
LikesOption = Annotated[str | None, typer.Option("--likes", help='Films you like: "Title; Title (year)".')]
TimeOption = Annotated[TimeOfDay | None, typer.Option("--time-of-day", help="Local part of the day; told to the models if that was shown to help.")]
DeviceOption = Annotated[Device | None, typer.Option("--device", help="What the viewer watches on; its effect is simulated.")]
AnywayOption = Annotated[bool, typer.Option("--anyway", help="Tell the models also what is switched off because it was not shown to help.")]
UnusedOption = Annotated[str | None, typer.Option("--without", help='Films of the viewer\'s that no reasoning may use: "Title; Title (year)".')]
GenreOption = Annotated[str | None, typer.Option("--genre", help="Only films of this genre.")]
MinutesOption = Annotated[int | None, typer.Option("--minutes", min=1, help="Only films known to take no longer.")]
CertificateOption = Annotated[Certificate | None, typer.Option("--certificate", help="Nothing stricter, and nothing without one.")]
ColourOption = Annotated[bool, typer.Option("--in-colour", help="Nothing known to be in black and white.")]
DecadeOption = Annotated[int | None, typer.Option("--decade", help="Only films of this decade, by its first year: 1970.")]
StarsOption = Annotated[float | None, typer.Option("--least-stars", min=0.5, max=5, help="Only films that all raters together gave so many stars.")]
FameOption = Annotated[Fame | None, typer.Option("--fame", help="The most rated quarter of the films, the half below it, or all others.")]
ModelOption = Annotated[str | None, typer.Option("--model", help="One model instead of the Home page: `models` lists them.")]
JsonOption = Annotated[bool, typer.Option("--json", help="JSON instead of a table.")]
CountOption = Annotated[int, typer.Option("-k", min=1, max=100, help="Films a row.")]


def recommend(
    viewer: ViewerOption = None,
    user: UserOption = None,
    likes: LikesOption = None,
    time_of_day: TimeOption = None,
    device: DeviceOption = None,
    anyway: AnywayOption = False,
    unused: UnusedOption = None,
    genre: GenreOption = None,
    minutes: MinutesOption = None,
    certificate: CertificateOption = None,
    in_colour: ColourOption = False,
    decade: DecadeOption = None,
    least_stars: StarsOption = None,
    fame: FameOption = None,
    model: ModelOption = None,
    k: CountOption = 20,
    as_json: JsonOption = False,
) -> None:
    """Rows of films for a viewer, each film with its reason."""
    from recommender.serve import wire

    service, who, asked, query = begin(viewer, user, likes, time_of_day, device, anyway, unused, k)
    asked_for = filters(service, genre, minutes, certificate, in_colour, decade, least_stars, fame)
    home = service.home(who, query, asked_for) if model is None else service.listing(who, query, _model(service, model), k, asked_for)
    if as_json:
        return print_json(wire.home(home, who.name, asked, query, service.verdicts(who), service.catalog))
    console.print(f"[bold]{markup_free(who.name)}[/] — {markup_free(home.strategy.why)}", highlight=False)
    _print_signals(service, who, asked, query)
    for row in home.carousels:
        simulated = " · simulated: device" if row.simulated else ""
        table = Table(
            title=f"{markup_free(row.title)}  [dim]{row.model}{simulated}[/]", title_justify="left", expand=True, box=None, header_style="dim"
        )
        for name, width in (("film", 3), ("year", None), ("match", None), ("reason", 5)):
            table.add_column(name, ratio=width, no_wrap=width is None)
        for r in row.recommendations:
            match = f"{r.match}%" if r.match is not None else "–"
            table.add_row(markup_free(service.catalog.titles[r.item]), str(service.catalog.years[r.item]), match, markup_free(r.sentence))
        console.print(table, "")
    if not any(row.recommendations for row in home.carousels) and not home.strategy.silent:
        console.print("No film is within the filters and the viewer's limit and unseen.", highlight=False)
    console.print(f"[dim]{home.timing_ms['total']:.0f} ms[/]", highlight=False)


def _print_signals(service: Service, who: Viewer, asked: Context, told: Query) -> None:
    """What of the context the models were not told, and why."""
    for name, verdict in service.verdicts(who).items():
        if getattr(asked, name) is not None and getattr(told.context, name) is None:
            console.print(f"[dim]{name.replace('_', ' ')} {getattr(asked, name)} ({verdict.source}). {verdict.why}[/]", highlight=False)


def explain(
    film: Annotated[str, typer.Option("--film", help="The film to explain, by title.")],
    viewer: ViewerOption = None,
    user: UserOption = None,
    likes: LikesOption = None,
    time_of_day: TimeOption = None,
    device: DeviceOption = None,
    anyway: AnywayOption = False,
    unused: UnusedOption = None,
    model: ModelOption = None,
    as_json: JsonOption = False,
) -> None:
    """Why a film stands where it stands for a viewer: every reason with its weight, and the rank without each of the heaviest films."""
    from recommender.serve import inquiry, phrases, wire
    from recommender.serve.details import details, explaining
    from recommender.serve.picks import TOP

    service, who, moment, query = begin(viewer, user, likes, time_of_day, device, anyway, unused)
    item, by = _may_see(service, who, film), _model(service, model) if model else ""
    asked = service.request(who, query)
    row = explaining(asked, item, by, None if by else TOP)
    found, smallest = details(asked, row, item, ALL_REASONS, service.settings.row_length), inquiry.smallest(asked, item, row)
    r = found.recommendation
    if as_json:
        return print_json(wire.explained(found, smallest, wire.signals(moment, query, service.verdicts(who)), service.catalog))
    _print_signals(service, who, moment, query)
    title = markup_free(service.catalog.titles[item])
    console.print(
        f"[bold]{title}[/] for {markup_free(who.name)}: rank {found.rank} of {found.among}, score {r.score:.4f} by {r.model}", highlight=False
    )
    console.print(f"{markup_free(r.sentence)}.\n", highlight=False)
    table = Table(box=None, header_style="dim")
    for name in ("kind", "reason", "points", "rank without it", "what stands behind it"):
        table.add_column(name, justify="right" if name in ("points", "rank without it") else "left")
    ranks = {d.film: str(d.after) for d in found.drops}
    for n, reason in enumerate(r.explanation.reasons):
        simulated, behind = " (simulated)" if reason.simulated else "", found.evidence[n] if n < len(found.evidence) else ""
        without = ranks.get(reason.subject, "") if isinstance(reason.subject, int) else ""
        table.add_row(
            reason.kind, markup_free(phrases.subject(reason, service.catalog)) + simulated, f"{reason.weight:+.4f}", without, markup_free(behind)
        )
    console.print(table)
    sums = "The points sum to the score." if r.explanation.exact else "Films by leave-one-out; with the rest, the points sum to the score."
    console.print(f"[dim]{sums}[/]")
    if smallest:
        console.print(markup_free(phrases.smallest(smallest, service.catalog)), highlight=False)


def why_not(
    film: Annotated[str, typer.Option("--film", help="The film that is missed, by title.")],
    viewer: ViewerOption = None,
    user: UserOption = None,
    likes: LikesOption = None,
    time_of_day: TimeOption = None,
    device: DeviceOption = None,
    anyway: AnywayOption = False,
    unused: UnusedOption = None,
    genre: GenreOption = None,
    minutes: MinutesOption = None,
    certificate: CertificateOption = None,
    in_colour: ColourOption = False,
    decade: DecadeOption = None,
    least_stars: StarsOption = None,
    fame: FameOption = None,
    as_json: JsonOption = False,
) -> None:
    """Why a film is not among the first ten: its rank, the gap in points, the model that holds it back, and what would change it."""
    from recommender.serve import inquiry, phrases, wire

    service, who, moment, query = begin(viewer, user, likes, time_of_day, device, anyway, unused)
    asked_for = filters(service, genre, minutes, certificate, in_colour, decade, least_stars, fame)
    item = _may_see(service, who, film)
    found = inquiry.why_not(service.request(who, query, asked_for), item, service.told(who, ALL_SIGNALS if anyway else ()))
    if as_json:
        return print_json(wire.why_not(found, item, service.catalog))
    _print_signals(service, who, moment, query)
    if found is None:
        return console.print(
            f"{markup_free(service.catalog.titles[item])} is among the first {inquiry.FIRST} for {markup_free(who.name)}.", highlight=False
        )
    for line in phrases.why_not(found, service.catalog):
        console.print(markup_free(line), highlight=False)


def begin(
    viewer: str | None,
    user: int | None,
    likes: str | None,
    time_of_day: TimeOfDay | None,
    device: Device | None,
    anyway: bool,
    unused: str | None,
    k: int = 20,
) -> tuple[Service, Viewer, Context, Query]:
    """The desk, who asks, the moment as they say it, and what the models may know of both."""
    service = _open(k)
    who, moment = _who(service, viewer, user, likes), _context(time_of_day, device)
    return service, who, moment, _query(service, who, moment, unused, anyway)


def _open(k: int) -> Service:
    from recommender.serve.service import Service

    service = Service.open(settings().model_copy(update={"row_length": k}))
    for problem in service.problems:
        typer.echo(f"warning: {problem}", err=True)
    if not service.models:
        raise LookupError(f"no model loaded from {settings().artifacts}")
    service.dataset_users()  # where a data set is present, its exact user neighbours serve
    return service


def _who(service: Service, viewer: str | None, user: int | None, likes: str | None) -> Viewer:
    """The one viewer that was named; likes make a new one who gave each film five stars."""
    from recommender.serve.guests import LIKED, blank, joined
    from recommender.serve.viewers import viewer_named

    if sum(option is not None for option in (viewer, user, likes)) != 1:
        raise ValueError("wanted exactly one of --viewer, --user and --likes")
    if viewer is not None:
        known = service.viewers | service.feedback.viewers(service.catalog)
        return service.person(viewer if viewer.startswith("ml-") else viewer_named(known, viewer).id)
    if user is not None:
        return service.person(f"ml-{user}")
    titles = [title.strip() for title in (likes or "").split(";") if title.strip()]
    if not titles:
        raise ValueError(f'--likes is {likes!r}, wanted "Title; Title"')
    stars = {service.catalog.named(title): LIKED for title in titles}
    return joined(blank(), stars, service.settings)


def _may_see(service: Service, who: Viewer, film: str) -> int:
    """The film of this title, within the viewer's limit."""
    item = service.catalog.named(film)
    if not service.may_see(who, item):
        raise ValueError(f"film {service.catalog.titles[item]!r} is over the limit of {who.name}, {who.certificate}")
    return item


def _query(service: Service, who: Viewer, context: Context, unused: str | None, anyway: bool) -> Query:
    rated = {service.catalog.titles[i].casefold(): int(i) for i in who.profile.items}
    films = []
    for title in filter(None, (t.strip() for t in (unused or "").split(";"))):
        item = rated[title.casefold()] if title.casefold() in rated else service.catalog.named(title)
        if item not in who.profile.items:
            raise ValueError(f"--without names {service.catalog.titles[item]!r}, which {who.name} has not rated")
        films.append(item)
    return service.query(who, context, films, ALL_SIGNALS if anyway else ())


def filters(
    service: Service,
    genre: str | None,
    minutes: int | None,
    certificate: Certificate | None,
    in_colour: bool,
    decade: int | None,
    stars: float | None,
    fame: Fame | None,
) -> Filters:
    """What the options ask of a film; KeyError or ValueError for a genre or a decade that there is not."""
    known = service.catalog.genre_names[service.catalog.genre(genre)] if genre is not None else None
    if decade is not None and decade not in service.catalog.decades:
        raise ValueError(f"--decade is {decade}, wanted one of {', '.join(map(str, service.catalog.decades))}")
    return Filters(known, minutes, certificate.value if certificate else None, in_colour, decade, stars, fame.value if fame else None)


def _context(time_of_day: TimeOfDay | None, device: Device | None) -> Context:
    return Context(time_of_day.value if time_of_day else None, device.value if device else None)


def _model(service: Service, name: str) -> str:
    if name not in service.models:
        raise KeyError(f"model {name!r} is unknown or did not load{nearest(name, list(service.models))}")
    return name


def markup_free(text: str) -> str:
    """Text that rich must not read as markup."""
    from rich.markup import escape

    return escape(text)


def print_json(answer: dict) -> None:
    typer.echo(json.dumps(answer, ensure_ascii=False, indent=1))
