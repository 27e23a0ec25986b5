"""The sections of the Evaluation page that ask a protocol: the league, what accuracy costs, whom it serves; and what none of it can tell."""

from __future__ import annotations

from html import escape

import pandas as pd
import streamlit as st

from recommender.evaluate.published import COPIED, COPIED_CEILING, PUBLISHED_ON
from recommender.ui import charts, exhibits, findings, league, vega
from recommender.ui.league import LINES, PUBLIC, Pick
from recommender.ui.measures import LIMITS, TESTS, dimension, group, measure, number, ranged, titled
from recommender.ui.reports import Opened, Shelf


def question(found: Shelf, segmented: bool = True) -> tuple[Opened, Pick] | None:
    """The choices of the page: each among what those before it left, so that none leads to nothing."""
    there = [p for p in TESTS if p in found.found and len(found.found[p].table)]
    if not there:
        exhibits.missing("The league", "P1.json to P4.json")
        return None
    with st.container(horizontal=True, gap="medium", key="mq_ev_choices"):
        protocol = exhibits.choose("protocol", "Protocol", there, "P2" if "P2" in there else there[0], lambda p: f"{p} {TESTS[p].short}")
        opened = found.found[protocol]
        variants = league.variants(opened.table)
        variant = exhibits.choose("variant", "Variant", variants, variants[0], str)
    with st.container(horizontal=True, gap="medium", key="mq_ev_more_choices"):
        left = league.rows(opened.table, variant=variant)
        names = league.metrics(left)
        main = "NDCG" if "NDCG" in names else league.usual(opened.table, protocol).metric
        metric = exhibits.choose("metric", "Metric", names, main, lambda m: f"{m} · {measure(m).label}", listed=True, width=290)
        left = league.rows(left, metric=metric)
        ks = league.cutoffs(left)
        k = exhibits.choose("k", "k, films shown", ks, 10 if 10 in ks else ks[0], lambda x: "–" if x is None else str(x))
        segment = None
        if segmented:
            segments = league.segments(league.rows(left, k=k))
            segment = exhibits.choose("segment", "Who", segments, segments[0], group, listed=True, width=230)
    asked = TESTS[protocol]
    says = f"<b>{escape(asked.question)}</b> {escape(asked.how)} <b>{escape(titled(metric, k))}</b>: {escape(measure(metric).says)}."
    st.html(f'<p class="mq-ev mq-ev-how">{says}</p>')
    return opened, Pick(protocol, variant, metric, k, segment)


def standings(found: Shelf) -> None:
    """Who stands where, and who is ahead of the best baseline."""
    asked = question(found)
    if asked is None:
        return
    opened, pick = asked
    table = league.standing(opened, pick)
    places = len(opened.report.models) + 3
    best = league.baseline(table)
    timed = bool(table["uses_time"].fillna(False).astype(bool).any())
    exhibits.legend(table["family"].unique().tolist(), public=bool((table["verdict"] == PUBLIC).any()), timed=timed)
    who = "" if pick.segment is None else f", {group(pick.segment).lower()}"
    wide, close = st.columns(2, gap="large")
    with wide:
        spec = charts.league(table, pick, places)
        exhibits.draw("league", f"{pick.title} under {pick.protocol}{who}", league.spoken(table, pick), spec, opened, table)
    with close:
        if best is None:
            exhibits.title(
                "Is the difference more than noise?", f"{pick.title} is not compared in pairs here. Compared are: {_compared(opened, pick)}."
            )
        else:
            spec = charts.differences(table, pick, str(best["label"]), places)
            exhibits.draw("differences", "Is the difference more than noise?", league.compared(table), spec, opened, league.own(table))
    _figures(table, pick)
    if (pick.protocol, opened.report.dataset) == ("P2", PUBLISHED_ON):
        _copied(opened)
    _limits(pick.protocol)


def _compared(opened: Opened, pick: Pick) -> str:
    """What the report compares in pairs under this variant."""
    there = league.rows(opened.paired, variant=pick.variant)
    return ", ".join(dict.fromkeys(titled(m, k) for m, k in zip(there["metric"], there["k"]))) or "none"


def _figures(table: pd.DataFrame, pick: Pick) -> None:
    """The league as a table, for who checks."""
    with st.expander("The figures as a table", icon=":material/table_rows:", key="mq_ev_table"):
        shown = table[["label", "family", "mean", "lo", "hi", "spread", "n", "delta", "dlo", "dhi", "p", "verdict", "source"]]
        names = {
            "mean": pick.title,
            "lo": "from",
            "hi": "to",
            "spread": "sd over seeds",
            "delta": "difference",
            "dlo": "diff. from",
            "dhi": "diff. to",
            "p": "p (Holm)",
        }
        st.dataframe(shown.rename(columns=names), hide_index=True, width="stretch", height=420)


_COPIED = (
    "A set of figures with an NDCG@10 of {} to {} goes from project to project without a protocol. Its precision and recall fit this one (P2). "
    "Its NDCG cannot be the standard one: with that precision and recall no ranking exceeds {}. It fits a known mistake, an ideal made of the "
    "list’s own hits. The same mistake, made on purpose, stands in the last column; it is used nowhere else."
)


def _copied(opened: Opened) -> None:
    """The footnote on the table that many have copied."""
    shown = _beside(opened)
    claimed = shown.loc[shown["NDCG@10"].isna(), "NDCG@10, own hits"]
    said = _COPIED.format(number(claimed.min(), 2), number(claimed.max(), 2), number(COPIED_CEILING))
    head = "".join(f"<th scope='col'>{escape(c)}</th>" for c in ("Model", *shown.columns[1:]))
    body = "".join(_line(str(name), figures) for name, *figures in shown.itertuples(index=False))
    st.html(
        f'<div class="mq-ev mq-ev-box"><h3>A table that is often copied</h3><p>{escape(said)}</p>'
        '<div class="mq-ev-scroll" tabindex="0" role="region" aria-label="The copied table beside ours">'
        f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div></div>"
    )
    exhibits.note("copied", opened, shown)


def _beside(opened: Opened) -> pd.DataFrame:
    """The copied table beside this project's figures under the protocol that its precision and recall fit (P2)."""
    made = [{"row": f"copied: {name}", "P@10": p, "R@10": r, "NDCG@10": None, "NDCG@10, own hits": n} for name, n, p, r, _ in COPIED]
    variant = league.variants(opened.table)[0]
    table = league.rows(opened.table, variant=variant, k=10, segment=None)
    names = {"P": "P@10", "R": "R@10", "NDCG": "NDCG@10", "own-hits NDCG": "NDCG@10, own hits"}
    wide = table[table["metric"].isin(names)].pivot_table(index="label", columns="metric", values="mean").reindex(columns=list(names))
    wide = wide.dropna(subset=["P"]).sort_values("P", ascending=False).head(5).rename(columns=names)
    return pd.concat([wide.rename_axis("row").reset_index(), pd.DataFrame(made)], ignore_index=True)


def _line(name: str, figures: list[float]) -> str:
    cells = "".join(f"<td>{number(x) if pd.notna(x) else '–'}</td>" for x in figures)
    return f"<tr class='{'mq-ev-copied' if name.startswith('copied') else ''}'><th scope='row'>{escape(name)}</th>{cells}</tr>"


def _limits(protocol: str) -> None:
    """What these numbers cannot tell: first what is special to this protocol."""
    own = "".join(f"<li><b>{protocol}</b> {escape(line)}</li>" for line in TESTS[protocol].limits)
    shared = "".join(f"<li>{escape(line)}</li>" for line in LIMITS)
    st.html(f'<div class="mq-ev mq-ev-box mq-ev-limits"><h3>What these numbers cannot tell you</h3><ul>{own}{shared}</ul></div>')


def tradeoffs(found: Shelf) -> None:
    """What accuracy costs: in variety, and in time."""
    asked = question(found, segmented=False)
    if asked is None:
        return
    opened, pick = asked
    table = league.own(league.standing(opened, pick, public=False))
    exhibits.legend(table["family"].unique().tolist(), verdicts=False)
    left, right = st.columns(2, gap="large")
    other = league.rows(opened.table, variant=pick.variant, metric="diversity", segment=None).drop_duplicates("model").set_index("model")["mean"]
    with left:
        if len(other) and pick.metric != "diversity":
            both = _front(table.assign(x=table["model"].map(other)).dropna(subset=["x"]), pick, 1)
            exhibits.draw(
                "diversity",
                "Accuracy against diversity",
                _traded(both, pick, "diversity"),
                charts.tradeoff(both, pick, "diversity of a list"),
                opened,
                both,
            )
        else:
            exhibits.title(
                "Accuracy against diversity",
                "Star predictions make no list: there is no diversity to set them against."
                if pick.protocol == "P3"
                else "Choose a metric of accuracy to set it against diversity.",
            )
    with right:
        timed = table[table["ms"].fillna(0) > 0]
        if len(timed):
            both = _front(timed.assign(x=timed["ms"]), pick, -1)
            spec = charts.tradeoff(both, pick, "milliseconds a query, one core", log=True)
            exhibits.draw("speed", "Accuracy against time a query", _traded(both, pick, "time"), spec, opened, both)
        else:
            exhibits.title("Accuracy against time a query", "This report does not say how long an answer takes.")
    _limits(pick.protocol)


def _front(both: pd.DataFrame, pick: Pick, more: int) -> pd.DataFrame:
    """Marks the models that none beats in both, chance and popularity apart; more: 1 where more of x is better, -1 where less is."""
    models = both[~both["model"].isin(LINES)]
    good, x = models["mean"] * (measure(pick.metric).better or 1), models["x"] * more
    beaten = [bool(((good >= g) & (x >= v) & ((good > g) | (x > v))).any()) for g, v in zip(good, x)]
    front = {m for m, lost in zip(models["model"], beaten) if not lost}
    return both.assign(front=both["model"].isin(front))


def _traded(both: pd.DataFrame, pick: Pick, what: str) -> str:
    first = league.leader(both)
    if first is None:
        return "No figures."
    price = f"at {first['x']:.2g} ms a query" if what == "time" else f"with a diversity of {number(first['x'])}"
    lines = ", ".join(f"{n.capitalize()} {number(v)}" for n in reversed(LINES) if (v := league.line(both, n)) is not None)
    return f"{league.called(first)} reaches {number(first['mean'])} {pick.title} {price}. No model beats those on the line in both. {lines}."


def groups(found: Shelf) -> None:
    """Figures by group of viewers or films, then by how many ratings are known."""
    asked = question(found, segmented=False)
    if asked is not None:
        opened, pick = asked
        left = league.rows(opened.table, variant=pick.variant, metric=pick.metric, k=pick.k)
        dimensions = league.dimensions(left)
        if dimensions:
            _heat(opened, pick, left, exhibits.choose("groups", "Groups", dimensions, dimensions[0], dimension))
        else:
            exhibits.title("By group", f"{pick.title} is measured for all viewers together; by group there are: {', '.join(_grouped(opened, pick))}.")
    findings.cold_start(found)
    if asked is not None:
        _limits(asked[1].protocol)


def _grouped(opened: Opened, pick: Pick) -> list[str]:
    there = league.rows(opened.table, variant=pick.variant)
    there = there[there["segment"].notna()]
    return [titled(m, k) for m, k in dict.fromkeys(zip(there["metric"], there["k"]))] or ["none"]


def _heat(opened: Opened, pick: Pick, left: pd.DataFrame, name: str) -> None:
    """Models by the groups of one dimension."""
    groups = [s for s in league.segments(left, name) if s]
    cells = left[left["segment"].isin(groups)].copy()
    order = league.own(league.standing(opened, pick, public=False))
    better = measure(pick.metric).better
    best = cells.groupby("segment")["mean"].transform("min" if better < 0 else "max")
    sizes = dict(zip(cells["segment"], cells["n"]))
    short = {s: f"{group(s).replace('Age ', '').removesuffix(' viewers').removesuffix(' films')}\n{sizes[s]:,.0f}" for s in groups}
    cells = cells.assign(
        share=(best / cells["mean"] if better < 0 else cells["mean"] / best).fillna(0).clip(0, 1),
        group=cells["segment"].map(short),
        who=cells["segment"].map(group),
        row=[vega.wrapped(label) for label in cells["label"]],
        value=[number(x) for x in cells["mean"]],
        range=[ranged(lo, hi) for lo, hi in zip(cells["lo"], cells["hi"])],
    )
    first = league.ours(order)
    models = [vega.wrapped(label) for label in order["label"] if vega.wrapped(label) in set(cells["row"])]
    said = league.gap(cells[cells["model"] == (first["model"] if first is not None else "")], pick)
    sentence = f"{said} A cell is as bright as its share of the group’s best; under each group its number of viewers."
    spec = charts.heat(cells, pick, models, [short[s] for s in groups])
    exhibits.draw("groups", dimension(name), sentence, spec, opened, cells.drop(columns=["row", "group"]))
