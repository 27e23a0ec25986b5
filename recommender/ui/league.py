"""What is shown of a report: which choices there are, who stands where, and the sentence that says it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import pandas as pd

from recommender.evaluate.published import PUBLISHED, PUBLISHED_ON, Published
from recommender.evaluate.report import Contender
from recommender.ui.measures import MEASURES, TESTS, chance_of, group, measure, number, place, signed, titled
from recommender.ui.reports import Opened
from recommender.ui.words import counted

SURE = 0.05  # a Holm-corrected p below this is called a difference
LINES = ("chance", "popularity")  # the models that every chart draws as lines
USUAL_FAMILY = {"chance": "baseline", "popularity": "baseline", "content": "content", "sequence": "sequential", "hybrid": "hybrid"}
HOME = {"P1": "stable order"}  # the variant that published figures without one are of
OTHERS = "other library"  # the family of programs that are not this project's
AHEAD, BEHIND, LEVEL, YARDSTICK, PUBLIC, UNTESTED = "ahead", "behind", "not told apart", "best baseline", "published", "not tested"


@dataclass(frozen=True)
class Pick:
    """One question to a report."""

    protocol: str
    variant: str
    metric: str
    k: int | None
    segment: str | None = None

    @property
    def title(self) -> str:
        return titled(self.metric, self.k)


# -- choices: each is made among the rows that those before it left ---------------------------------------------------


def variants(table: pd.DataFrame) -> list[str]:
    return list(dict.fromkeys(table["variant"]))


def metrics(table: pd.DataFrame) -> list[str]:
    there = list(dict.fromkeys(table["metric"]))
    known = [m for m in MEASURES if m in there]
    return known + [m for m in there if m not in known]


def cutoffs(table: pd.DataFrame) -> list[int | None]:
    return sorted(set(table["k"]), key=lambda k: -1 if k is None else k)


def segments(table: pd.DataFrame, dimension: str | None = None) -> list[str | None]:
    """All viewers first, then group by group; only those of one dimension where it is named. A curve's steps are no segments."""
    there = [s for s in dict.fromkeys(table["segment"]) if s is not None and (dimension is None or s.startswith(f"{dimension}="))]
    there.sort(key=lambda s: (s.partition("=")[0], place(s)))
    return there if dimension else [*([None] if table["segment"].isna().any() else []), *there]


def dimensions(table: pd.DataFrame) -> list[str]:
    """What the rows are divided by, where that makes two groups or more."""
    names = [s.partition("=")[0] for s in dict.fromkeys(table["segment"]) if s]
    return [name for name in dict.fromkeys(names) if names.count(name) > 1]


def rows(frame: pd.DataFrame, **wanted: object) -> pd.DataFrame:
    """Rows whose columns have these values; None means none."""
    kept = pd.Series(True, index=frame.index)
    for name, value in wanted.items():
        kept &= frame[name].isna() if value is None else frame[name] == value
    return frame[kept]


# -- standings ---------------------------------------------------------------------------------------------------------


def standing(opened: Opened, pick: Pick, public: bool = True) -> pd.DataFrame:
    """Best first: label, family, mean, lo, hi, n; delta, dlo, dhi, p against the best baseline; verdict; source of published figures."""
    where = {"variant": pick.variant, "metric": pick.metric, "k": pick.k, "segment": pick.segment}
    table = rows(opened.table, **where).drop_duplicates("model")
    pairs = rows(opened.paired, **where).drop_duplicates("model").set_index("model")
    costs = {c.model: c for c in opened.report.models}
    table = table.assign(
        family=[family(m, costs) for m in table["model"]],
        uses_time=[m in costs and costs[m].uses_time for m in table["model"]],
        ms=[costs[m].ms_per_query if m in costs else math.nan for m in table["model"]],
        fit=[costs[m].fit_seconds if m in costs else math.nan for m in table["model"]],
        mb=[costs[m].megabytes if m in costs else math.nan for m in table["model"]],
        note=[costs[m].note if m in costs else "" for m in table["model"]],
        delta=table["model"].map(pairs["delta"]),
        dlo=table["model"].map(pairs["lo"]),
        dhi=table["model"].map(pairs["hi"]),
        p=table["model"].map(pairs["p_holm"]),
        source="",
    )
    yardstick = pairs["against"].iloc[0] if len(pairs) else None
    table["verdict"] = [_verdict(m, d, p, yardstick, pick) for m, d, p in zip(table["model"], table["delta"], table["p"])]
    if public:
        marks = published(opened.report.dataset, pick)
        table = pd.concat([table, _published(marks, set(table["label"]))], ignore_index=True) if marks else table
    table["label"] = _unique(table["label"].tolist())
    return table.sort_values("mean", ascending=measure(pick.metric).better < 0, ignore_index=True, kind="stable")


def family(model: str, costs: dict[str, Contender]) -> str:
    """The family a report gives, or the usual one where it gives none."""
    named = costs[model].family if model in costs else ""
    return named or USUAL_FAMILY.get(model, "collaborative")


def _verdict(model: str, delta: float, p: float, yardstick: str | None, pick: Pick) -> str:
    if model == yardstick:
        return YARDSTICK
    if pd.isna(p):
        return UNTESTED
    if p >= SURE:
        return LEVEL
    return AHEAD if delta * (measure(pick.metric).better or 1) > 0 else BEHIND


def published(dataset: str, pick: Pick) -> list[Published]:
    """Figures of others for all users under this protocol and variant; none for a segment, none for another data set."""
    if dataset != PUBLISHED_ON or pick.segment is not None:
        return []
    asked = (pick.protocol, pick.metric, pick.k, pick.variant)
    return [p for p in PUBLISHED if (p.protocol, p.metric, p.k, p.variant or HOME.get(p.protocol, pick.variant)) == asked]


def _published(marks: list[Published], taken: set[str]) -> pd.DataFrame:
    made = [(f"{p.label}, published" if p.label in taken else p.label, PUBLIC, p.uses_time, p.value, p.source, PUBLIC, "", "") for p in marks]
    return pd.DataFrame(made, columns=["label", "family", "uses_time", "mean", "source", "verdict", "model", "note"])


def _unique(labels: list[str]) -> list[str]:
    seen: dict[str, int] = {}
    made = []
    for label in labels:
        seen[label] = seen.get(label, 0) + 1
        made.append(label if seen[label] == 1 else f"{label} ({seen[label]})")
    return made


def own(table: pd.DataFrame) -> pd.DataFrame:
    """The standing without published figures."""
    return table[table["verdict"] != PUBLIC]


def line(table: pd.DataFrame, model: str) -> float | None:
    """Where a model of LINES stands."""
    found = table.loc[table["model"] == model, "mean"]
    return float(found.iloc[0]) if len(found) else None


def leader(table: pd.DataFrame) -> pd.Series | None:
    """The first of the standing; chance and popularity lead only where there is nobody else."""
    ours = own(table)
    models = ours[~ours["model"].isin(LINES)]
    return (models if len(models) else ours).iloc[0] if len(ours) else None


def ours(table: pd.DataFrame) -> pd.Series | None:
    """The first of this project's own models."""
    return leader(table[table["family"] != OTHERS])


def called(row: pd.Series) -> str:
    """'SASRec (another library)'."""
    return f"{row['label']} (another library)" if row["family"] == OTHERS else str(row["label"])


def baseline(table: pd.DataFrame) -> pd.Series | None:
    """The best baseline, by the report's own tests."""
    found = table[table["verdict"] == YARDSTICK]
    return found.iloc[0] if len(found) else None


# -- sentences ---------------------------------------------------------------------------------------------------------


def interval(row: pd.Series) -> str:
    """'.452 [.447, .457]', '.452' where there is no interval."""
    return number(row["mean"]) if pd.isna(row["lo"]) else f"{number(row['mean'])} [{number(row['lo'])}, {number(row['hi'])}]"


def spoken(table: pd.DataFrame, pick: Pick) -> str:
    """'Hybrid leads with .452 [.447, .457]; EASE, the best baseline, .438; popularity .214, chance .008.'"""
    first, best, here = leader(table), baseline(table), ours(table)
    if first is None:
        return "No figures."
    who = f"{called(first)}, the best baseline," if first["verdict"] == YARDSTICK else called(first)
    said = [f"{who} {'has' if measure(pick.metric).better == 0 else 'leads with'} {pick.title} {interval(first)}"]
    if first["family"] == OTHERS and here is not None and here["verdict"] != YARDSTICK:
        said.append(f"{here['label']}, the best of ours, {number(here['mean'])}")
    if best is not None and first["verdict"] != YARDSTICK:
        said.append(f"{best['label']}, the best baseline, {number(best['mean'])}")
    lines = [f"{name} {number(value)}" for name in reversed(LINES) if (value := line(table, name)) is not None and name != first["model"]]
    return "; ".join([*said, ", ".join(lines)] if lines else said) + "."


def compared(table: pd.DataFrame) -> str:
    """How the leader differs from the best baseline, and how sure that is."""
    first, best = leader(table), baseline(table)
    if first is None or best is None:
        return "The report holds no differences for this choice."
    ahead = int((own(table)["verdict"] == AHEAD).sum())
    others = f"{counted(ahead, 'model is', 'models are')} ahead of it beyond noise." if ahead else "No model is ahead of it beyond noise."
    if pd.isna(first["delta"]):
        return f"{best['label']} is the best baseline. {others}"
    how = {AHEAD: "ahead, beyond noise", BEHIND: "behind, beyond noise"}.get(first["verdict"], "not told apart")
    spread = f"{signed(first['delta'])} [{signed(first['dlo'])}, {signed(first['dhi'])}]"
    return f"{called(first)} against {best['label']}, the best baseline: {spread}, {chance_of(first['p'])}: {how}. {others}"


@dataclass(frozen=True)
class Tile:
    """One protocol in a glance: first is the best of this project's models, other the best of another library where it is better."""

    protocol: str
    question: str
    pick: Pick
    said: str
    first: pd.Series
    best: pd.Series | None
    other: pd.Series | None
    public: Published | None
    popularity: float | None


def tiles(found: dict[str, Opened]) -> list[Tile]:
    """A tile for each protocol that has a report."""
    made = (_tile(protocol, found[protocol]) for protocol in TESTS if protocol in found)
    return [tile for tile in made if tile is not None]


@lru_cache(16)
def _tile(protocol: str, opened: Opened) -> Tile | None:
    """The tile of a report as it was opened; none where it has no rows, or none of ours."""
    if not len(opened.table):
        return None
    pick = usual(opened.table, protocol)
    table = standing(opened, pick)
    first, top = ours(table), leader(table)
    if first is None:
        return None
    other = top if top is not None and top["family"] == OTHERS else None
    rivals = other, rival(first, published(opened.report.dataset, pick), pick)
    return Tile(protocol, TESTS[protocol].question, pick, plainly(first, pick), first, baseline(table), *rivals, line(table, "popularity"))


def usual(table: pd.DataFrame, protocol: str) -> Pick:
    """The figure that stands for a protocol, or the nearest there is."""
    test = TESTS.get(protocol)
    variant = variants(table)[0]
    there = rows(table, variant=variant)
    metric = test.metric if test and test.metric in set(there["metric"]) else metrics(there)[0]
    ks = cutoffs(rows(there, metric=metric))
    left = rows(there, metric=metric, k=10 if 10 in ks else ks[0])
    return Pick(protocol, variant, metric, 10 if 10 in ks else ks[0], segments(left)[0])


def rival(first: pd.Series, marks: list[Published], pick: Pick) -> Published | None:
    """The best published figure on the same footing: one that knows the request's time only beside a model that does."""
    better = measure(pick.metric).better or 1
    fair = [p for p in marks if bool(first["uses_time"]) or not p.uses_time]
    return max(fair, key=lambda p: p.value * better, default=None)


def plainly(first: pd.Series, pick: Pick) -> str:
    """The figure without its jargon."""
    x = float(first["mean"])
    if pick.metric == "HR":
        return f"{100 * x:.0f} of 100 viewers find it among {pick.k} films"
    if pick.metric == "P" and pick.k:
        return f"{pick.k * x:.1f} of {pick.k} films shown are right"
    if pick.metric in ("RMSE", "MAE"):
        return f"{x:.2f} stars off ({pick.metric})"
    return f"{number(x)} of a perfect 1 ({pick.title})" if pick.metric == "NDCG" else f"{pick.title} {number(x)}"


def stance(first: pd.Series, value: float, pick: Pick) -> str:
    """Where our interval lies beside another's figure, taken as if it had no noise: ahead of it, level with it, behind it."""
    better = measure(pick.metric).better or 1
    ends = first[["lo", "hi"]].fillna(first["mean"]).astype(float) * better
    return "ahead" if ends.min() > value * better else "behind" if ends.max() < value * better else "level"


def headline(made: list[Tile]) -> str:
    """For somebody who decides: how often the best model is ahead, of what."""
    tested = [t for t in made if t.best is not None]
    ahead = sum(t.first["verdict"] == AHEAD for t in tested)
    stands = [stance(t.first, t.public.value, t.pick) for t in made if t.public]
    said = []
    if tested:
        said.append(f"Ahead of the best baseline, beyond noise, {_in(ahead, len(tested))}.")
    if stands:
        above, level = stands.count("ahead"), stands.count("level")
        said.append(f"Above the best published figure {_in(above, len(stands))}{f', level {_in(level, len(stands))}' if level else ''}.")
    return " ".join(said) or "Measured; no comparison has been made yet."


def _in(some: int, of: int) -> str:
    words = ("none", "one", "two", "three", "four")
    if of == 1:
        return "in the one test so far" if some else "not yet in the one test so far"
    return f"in all {words[of]} tests" if some == of else f"in {words[some]} of {words[of]} tests"


def gap(table: pd.DataFrame, pick: Pick) -> str:
    """The best and worst served group of a dimension, of one model."""
    if not len(table):
        return "No figures by group."
    ranked = table.sort_values("mean", ascending=measure(pick.metric).better < 0)
    who, groups, means = ranked["label"].tolist()[0], ranked["segment"].tolist(), ranked["mean"].tolist()
    return f"{who} serves {group(groups[0])} best ({number(means[0])} {pick.title}) and {group(groups[-1])} least ({number(means[-1])})."
