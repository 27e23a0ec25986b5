"""Beyond one machine: Spark on two cores makes what one machine makes. Skipped where there is no Spark or no Java."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as parquet
import pytest

from recommender import artifacts, rank
from recommender.catalog import Catalog
from recommender.interactions import Interactions
from recommender.models import MODELS
from recommender.models.factors import ALS
from recommender.scale import alternating, batch, common, fit, measure, paper, same, session, store, synthetic
from recommender.settings import ROOT
from recommender.types import Query
from recommender.world import checkerboard

needs_spark = pytest.mark.skipif(bool(session.missing()), reason=str(session.missing()))
MIN_RATERS = 30
STEPS = 2  # of ALS, one after the first that starts from what Spark made


class Made(NamedTuple):
    """A world of 120 viewers in tables, and what one machine and Spark each fitted to it."""

    spark: object
    place: store.Store
    catalog: Catalog
    interactions: Interactions
    one: dict
    spread: dict
    films: np.ndarray


@pytest.fixture(scope="module")
def java() -> Iterator[None]:
    """A JVM that compiles quickly rather than well: most of what the tests have it do is done once."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("JAVA_TOOL_OPTIONS", "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC")
        yield


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, java: None) -> Iterator[Made]:
    """Ids of users are not their numbers, every second of a user's holds two ratings, and 6 films have too few raters."""
    catalog, x = checkerboard()
    late = np.isin(x.items, np.arange(34, 40)) & (x.users >= 2 * MIN_RATERS)
    x = x.where(~late)
    x = replace(x, times=x.times // 7200 * 7200, user_ids=np.arange(x.n_users) * 3 + 11)
    place = store.Store(tmp_path_factory.mktemp("store"))
    with session.session(memory="512m", partitions=2) as spark:
        store.write(spark, place, x, catalog, "checkerboard")
        store.gather(spark, place)
        on = fit.prepare(spark, place, MIN_RATERS)
        common.count(spark, place, on.films, parts=2)
        one, spread = {}, {}
        for name, make in fit.FITS.items():
            few = name == "als"
            one[name] = (replace(ALS(), iterations=STEPS) if few else MODELS[name]()).fit(x.supported(MIN_RATERS), catalog)
            fit.save(name, alternating.fit(on, STEPS) if few else make(on), place, place.folder / "artifacts", 0.0)
            spread[name] = artifacts.load(name, place.folder / "artifacts", place.catalog())
        yield Made(spark, place, catalog, x, one, spread, on.films)


@needs_spark
def test_a_history_is_what_the_user_did_in_the_order_of_one_machine(made: Made) -> None:
    x, found = made.interactions, parquet.read_table(made.place.table("histories")).to_pylist()
    assert sorted(row["user"] for row in found) == (x.user_ids[np.unique(x.users)]).tolist()
    assert any(len(set(row["time"])) < len(row["time"]) for row in found)
    for row in found:
        rows = x.rows((row["user"] - 11) // 3)
        assert (row["item"], row["rating"]) == (x.items[rows].tolist(), x.ratings[rows].tolist())
        assert (row["time"], row["time_of_day"]) == (x.times[rows].tolist(), x.times_of_day[rows].tolist())


@needs_spark
def test_films_with_too_few_raters_take_no_part(made: Made) -> None:
    assert made.films.tolist() == np.flatnonzero(made.interactions.raters >= MIN_RATERS).tolist()
    assert 0 < len(made.films) < len(made.catalog)
    assert not made.spread["popularity"].parts_[2][np.setdiff1d(np.arange(40), made.films)].any()


@needs_spark
def test_the_gram_matrix_is_that_of_one_machine(made: Made) -> None:
    x = made.interactions.matrix()[:, made.films]
    assert np.array_equal(common.gram(made.place, made.films), (x.T @ x).toarray())
    some = made.films[[5, 2, 9]]
    assert np.array_equal(common.gram(made.place, some), (x.T @ x).toarray()[np.ix_([5, 2, 9], [5, 2, 9])])


@needs_spark
@pytest.mark.parametrize("name", ["popularity", "item_knn", "ease", "als"])
def test_artifacts_made_by_spark_score_as_those_of_one_machine(made: Made, name: str) -> None:
    queries = [Query(made.interactions.profile(u)) for u in range(20)] + [Query()]
    ours, theirs = made.one[name].score(queries), made.spread[name].score(queries)
    assert np.ptp(ours) > 0
    np.testing.assert_allclose(theirs, ours, atol=1e-5 * np.abs(ours).max())
    assert all(gap["relative"] < 1e-5 for gap in same.learned(made.one[name], made.spread[name])["learned"].values())
    card = artifacts.card(name, made.place.folder / "artifacts")
    assert card["data"]["sha256"] == made.interactions.fingerprint()
    assert (card["fitted_by"], card["validation"]) == ("Spark", fit.UNEXAMINED)


@needs_spark
def test_the_weights_are_the_same_to_the_last_bit_where_counts_are_all_there_is(made: Made) -> None:
    for name in ("item_knn", "ease"):
        assert not (made.one[name].weights_ != made.spread[name].weights_).nnz
    assert made.spread["ease"].both_.tolist() == made.one["ease"].both_.tolist()


@needs_spark
def test_the_vectors_of_als_are_those_of_one_machine(made: Made) -> None:
    ours = made.one["als"].factors_
    assert np.abs(ours[made.films]).max() > 0.05
    np.testing.assert_allclose(made.spread["als"].factors_, ours, atol=1e-6)


@needs_spark
def test_mllib_learns_the_world_too(made: Made) -> None:
    model = fit.mllib(fit.prepare(made.spark, made.place, MIN_RATERS), iterations=2)
    scores = model.score([Query(made.interactions.profile(u)) for u in (0, 1)])[:, made.films]
    even = made.films % 2 == 0
    assert scores[0, even].min() > scores[0, ~even].max()
    assert scores[1, even].max() < scores[1, ~even].min()


@needs_spark
@pytest.mark.parametrize("name", ["popularity", "ease"])
def test_lists_for_all_users_are_those_the_app_would_make(made: Made, name: str) -> None:
    batch.recommend(made.spark, made.place, made.place.folder / "artifacts", name, 4)
    found = {row["user"]: row for row in parquet.read_table(f"{made.place.table('recommendations')}/model={name}").to_pylist()}
    assert len(found) == made.interactions.n_users
    for user in range(made.interactions.n_users):
        profile, row = made.interactions.profile(user), found[user * 3 + 11]
        scores = made.spread[name].score([Query(profile)])[0]
        assert row["item"] == rank.top(rank.mask(scores, profile.items), 4).tolist()
        assert row["film"] == made.catalog.ids[row["item"]].tolist()
        np.testing.assert_allclose(row["score"], scores[row["item"]], rtol=1e-5)


@needs_spark
def test_a_table_that_is_not_that_of_its_card_is_refused(made: Made, tmp_path: Path) -> None:
    other = store.Store(tmp_path)
    x = made.interactions
    store.write(made.spark, other, x, made.catalog, "checkerboard")
    assert other.facts().checksum == made.place.facts().checksum
    facts = other.facts()
    store.write(made.spark, other, x.where(np.arange(len(x)) != 7), made.catalog, "checkerboard")
    other.keep(made.catalog, facts)
    with pytest.raises(ValueError, match="its card says"):
        store.gather(made.spark, other)


@needs_spark
def test_a_world_is_the_same_in_whatever_parts_it_is_drawn(made: Made, tmp_path: Path) -> None:
    world = synthetic.World(users=2500, films=200, mean=20)
    facts = [synthetic.draw(made.spark, store.Store(tmp_path / str(parts)), world, parts) for parts in (1, 3)]
    assert facts[0] == facts[1]
    assert facts[0].users == 2500
    assert facts[0].interactions == sum(len(world.draw(block)["item"]) for block in range(3))
    assert not np.array_equal(world.draw(0)["item"][:20], replace(world, seed=1).draw(0)["item"][:20])


@needs_spark
def test_what_a_step_costs_is_measured(made: Made) -> None:
    with measure.metered(made.spark) as found:
        made.spark.range(0, 200_000, 1, 2).repartition(3).write.format("noop").mode("overwrite").save()  # type: ignore[attr-defined]
    assert found.seconds > 0
    assert found.cpu_seconds > 0
    assert found.peak_mb > 50  # a JVM and Python
    assert found.shuffle_mb > 0.2  # 200,000 numbers


@needs_spark
def test_shares_of_equal_lists_count_order_and_films_apart(made: Made) -> None:
    x = made.interactions
    lists = same.own_lists(made.one["ease"], x)
    assert lists[11 + 3 * 7].tolist() == rank.top(rank.mask(made.one["ease"].score([Query(x.profile(7))])[0], x.profile(7).items), 10).tolist()
    assert same.listed(made.one["ease"], lists, x) == {"users": 120, "same_order": 1, "same_films": 1, "overlap": 1, "gap": 0}
    lists[11] = lists[11][::-1]
    lists[14] = np.append(lists[14][:-1], x.profile(1).items[0])
    found = same.listed(made.one["ease"], lists, x)
    assert (found["same_order"], found["same_films"]) == (118 / 120, 119 / 120)
    assert found["overlap"] == pytest.approx(1 - 1 / 10 / 120)
    assert found["gap"] > 0


def test_users_that_reach_over_batches_are_closed_up_once() -> None:
    rows = pa.table({"user": [1, 1, 1, 2, 3, 3], **{name: [1, 2, 3, 4, 5, 6] for name in store.LISTS}})
    for size in (1, 2, 4, 6):
        found = [row for part in store._close_up(iter(rows.to_batches(size))) for row in part.to_pylist()]
        assert [(row["user"], row["item"]) for row in found] == [(1, [1, 2, 3]), (2, [4]), (3, [5, 6])]
    assert list(store._close_up(iter([]))) == []


def test_lists_of_a_slice_begin_where_the_slice_begins() -> None:
    column = pa.array([[1, 2], [3], [], [4, 5, 6]], pa.list_(pa.int32()))[1:]
    offsets, values = store.lists(column)
    assert (offsets.tolist(), values.tolist()) == ([0, 1, 1, 4], [3, 4, 5, 6])


def test_drawn_films_are_skewed_and_follow_taste() -> None:
    world = synthetic.World(users=1000, films=2000, mean=30)
    rows = world.draw(0)
    pairs = rows["user"] * 2000 + rows["item"]
    assert len(np.unique(pairs)) == len(pairs)
    assert 22 < len(pairs) / 1000 < 34
    raters = np.sort(np.bincount(rows["item"], minlength=2000))[::-1]
    assert raters[:200].sum() > 0.4 * raters.sum()
    lengths = np.bincount(rows["user"])[1:]
    assert lengths.max() > 4 * np.median(lengths)
    most = [np.bincount(rows["item"][rows["user"] == u] % synthetic.TASTES).max() / lengths[u - 1] for u in np.flatnonzero(lengths >= 30) + 1]
    assert 0.25 < np.mean(most) < 0.55  # 0.4 own + 0.6 / 20


def test_growth_is_the_slope_of_the_logs() -> None:
    rows = [measure.Cost("common", n, n // 100, 27_000, n / 1e6, (n / 1e6) ** 1.5, 1000, 0) for n in (10**6, 10**7, 10**8)]
    small = measure.Cost("common", 500, 5, 40, 1000, 1000, 1000, 1000)
    (line,) = measure.growth([*rows, small])
    assert (line["seconds"], line["cpu_seconds"], line["peak_mb"], line["sizes"]) == (1, 1.5, 0, 3)


def test_rows_of_a_size_are_replaced(tmp_path: Path) -> None:
    path = tmp_path / "scale.json"
    row = measure.Cost("gather", 100, 10, 5, 1, 1, 1, 1)
    measure.keep(path, [row], "measure", "1g")
    measure.keep(path, [row._replace(interactions=200)], "measure", "1g")
    measure.keep(path, [row._replace(seconds=9)], "measure", "1g")
    assert [(r["interactions"], r["seconds"]) for r in json.loads(path.read_text("utf-8"))["rows"]] == [(100, 9), (200, 1)]


def test_the_family_of_a_process_holds_its_children() -> None:
    assert Path("/proc", str(os.getpid())) in measure._family()


WORKERS = """
import os, signal, time
signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # as Spark's daemon does: nobody inherits the times of its workers

def worker(seconds):
    while time.process_time() < seconds:
        pass
    print(flush=True)

for seconds in (0.7, 1.2):
    if not os.fork():
        os.read(0, 1) if seconds > 1 else None
        worker(seconds)
        os.read(0, 1)
        os._exit(0)
time.sleep(60)
"""


def test_what_workers_used_stays_counted_when_they_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """One has worked 0.7 s before and ends within; the other works 1.2 s within and ends."""
    monkeypatch.setattr(measure, "_shuffled", lambda spark: 0)
    with subprocess.Popen([sys.executable, "-u", "-c", WORKERS], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as daemon:
        assert daemon.stdin is not None
        assert daemon.stdout is not None
        daemon.stdout.readline()
        with measure.metered(None) as found:  # type: ignore[arg-type]
            daemon.stdin.write(b"12")
            daemon.stdin.flush()
            daemon.stdout.readline()
            daemon.stdin.close()
            time.sleep(0.1)
        daemon.kill()
    assert 0.6 < found.cpu_seconds < 3


def test_the_share_of_the_most_rated_films_is_told(tmp_path: Path) -> None:
    assert measure.covering(np.array([1, 6, 0, 3]), 2) == 0.9
    rows = [measure.Cost("ease", 10, 5, 4, 1, 1, 1, 1, 0.9), measure.Cost("gather", 10, 5, 4, 1, 1, 1, 1)]
    measure.keep(tmp_path / "scale.json", rows, "measure", "1g")
    assert paper.blocks(tmp_path / "scale.json")["measured"].endswith("| 1 |\n\nThe films that EASE took have 90.0% of 10 interactions.")


def test_what_is_absent_or_was_not_finished_is_refused(tmp_path: Path) -> None:
    place = store.Store(tmp_path)
    with pytest.raises(FileNotFoundError, match="interactions is not there, or not whole; python -m recommender scale write makes it"):
        place.read(None, "interactions")  # type: ignore[arg-type]
    place.keep(synthetic.World(5, 20, 2).catalog, store.Facts("drawn", 1, 1, 20, "", ""))
    (tmp_path / "histories").mkdir()
    (tmp_path / "histories" / "_SUCCESS").touch()
    place.begin()  # as other interactions do
    with pytest.raises(FileNotFoundError, match="histories is not there, or not whole"):
        place.read(None, "histories")  # type: ignore[arg-type]
    with pytest.raises(FileNotFoundError, match=r"facts\.json is not there"):
        place.facts()
    (tmp_path / "facts.json").write_text('{"source": "drawn"}')
    with pytest.raises(ValueError, match=r"facts\.json is no card of a store"):
        place.facts()


def test_without_spark_the_command_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session.shutil, "which", lambda name: None)
    monkeypatch.delenv("JAVA_HOME", raising=False)
    wrong = session.missing()
    assert wrong is not None
    assert "requirements-scale.txt" in wrong or "Java" in wrong
    with pytest.raises(RuntimeError, match="not installed"), session.session():
        pass


def test_the_page_has_the_tables_of_the_report() -> None:
    page = (ROOT / "docs" / "scale.md").read_text("utf-8")
    assert paper.placed(page, paper.blocks(ROOT / "artifacts" / "reports" / "scale.json")) == page


def test_the_plan_carries_each_step_on_by_what_it_depends_on(tmp_path: Path) -> None:
    """9,600 s of processor at 100 M interactions are 266.7 hours at a hundred times as many, 1.11 hours on 400 cores that work 0.6 of the time."""
    path = tmp_path / "scale.json"
    steps = {"gather": 9600.0, "item_knn": 36.0, "recommend ease": 96.0, "ease": 3600.0}
    rows = [measure.Cost(step, 10**8, 10**6, 27_000, 1, cpu, 1, 500) for step, cpu in steps.items()]
    shuffled = measure.Cost("common", 10**8, 10**6, 27_000, 1, 96, 1, 500)
    older = measure.Cost("gather", 10**6, 10**4, 4_000, 1, 9e9, 1, 9e9)
    measure.keep(path, [*rows, shuffled, older], "measure", "1g")
    lines = {
        cells[1].strip(): [c.strip() for c in cells[2:-1]] for row in paper.blocks(path)["plan"].splitlines() if len(cells := row.split("|")) > 2
    }
    assert lines["gather"] == ["100,000,000", "266.7", "1.11", "0.05"]
    assert lines["item_knn"][1:3] == ["0.0", "0.00"]  # what the films cost, however many people
    assert lines["recommend ease"][1:3] == ["2.7", "0.01"]
    assert lines["ease"][1:3] == ["1.0", "1.00"]  # on one machine
    assert lines["common"] == ["100,000,000", "2.7", "0.01", "0.10"]  # 200 times the parts
    assert "25 machines for 2.1 hours are 53 machine-hours" in paper.blocks(path)["plan"]
