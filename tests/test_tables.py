"""Reports as Markdown: who stands first, what a cell says, what is missing, and where a block goes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from recommender.__main__ import app, main
from recommender.evaluate.report import Contender, Paired, Report, ReportError, Row, write
from recommender.evaluate.tables import as_markdown, between, blocks, headlines, placed
from recommender.settings import ROOT, settings

A, B, C = (
    Contender("a", "Ann", "baseline", False, 1, 0.25, 0.5, 1.0),
    Contender("b", "Ben | son", "sequential", True, 3, 1234.5, 2.0, 20.0, "the served model"),
    Contender("c", "Cem", "hybrid", False, 1, 12.0, 0.1, 0.0),
)


def figure(variant: str, model: str, metric: str, mean: float, k: int | None = 10, segment: str | None = None, spread: float | None = None) -> Row:
    return Row(variant, model, metric, k, segment, mean, mean - 0.01, mean + 0.01, 6040, spread)


def pair(
    variant: str, model: str, against: str, delta: float, p: float, metric: str = "NDCG", k: int | None = 10, segment: str | None = None
) -> Paired:
    return Paired(variant, model, against, metric, k, segment, delta, delta - 0.001, delta + 0.001, p, p, 6040)


def made(protocol: str, rows: list[Row], differences: list[Paired] = [], models=(A, B, C), dataset: str = "mine", **more) -> Report:  # noqa: B006
    command, splits = f"python -m recommender evaluate {protocol}", [{"variant": rows[0].variant, "users": 6040}] if rows else []
    return Report(protocol, dataset, "d" * 64, "c" * 64, [0], {}, "2026-11-22", command, splits, list(models), rows, differences, more)


P1 = made(
    "P1",
    [
        *(figure("stable order", model, "HR", mean) for model, mean in (("a", 0.3), ("b", 0.1), ("c", 0.2))),
        *(
            figure("stable order", model, "NDCG", mean, spread=spread)
            for model, mean, spread in (("a", 0.1, None), ("b", 0.25, 0.004), ("c", 0.2, None))
        ),
        figure("ties shuffled", "a", "NDCG", 0.09),
        figure("stable order", "a", "NDCG", 0.9, segment="history=new"),
    ],
    [pair("stable order", "b", "a", 0.15, 0.049), pair("stable order", "c", "a", -0.0002, 0.05)],
)


def cells(block: str) -> list[list[str]]:
    """The first table of a block, without the line under its header."""
    lines = [line for line in block.split("\n\n")[0].splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").replace("\\|", "/").split("|")] for line in (lines[0], *lines[2:])]


def column(block: str, title: str) -> list[str]:
    header, *lines = cells(block)
    return [line[header.index(title)] for line in lines]


def test_the_best_by_the_headline_stands_first() -> None:
    assert column(as_markdown(P1), "model") == ["Ben / son (the served model)", "Cem", "Ann"]


def test_figures_have_intervals_and_three_digits() -> None:
    assert column(as_markdown(P1), "NDCG@10") == ["0.250 [0.240, 0.260]", "0.200 [0.190, 0.210]", "0.100 [0.090, 0.110]"]


def test_differences_below_the_threshold_bear_a_mark() -> None:
    # p = .049 does, p = .05 does not; the baseline has none; nothing is less than nothing by -0.000
    assert column(as_markdown(P1), "NDCG@10 less that of Ann") == ["+0.150* [+0.149, +0.151]", "+0.000 [-0.001, +0.001]", "—"]


def test_a_figure_without_an_interval_stands_alone() -> None:
    rows = [row._replace(lo=row.mean, hi=row.mean) for row in P1.rows]
    assert column(as_markdown(replace(P1, rows=rows)), "NDCG@10") == ["0.250", "0.200", "0.100"]


@pytest.mark.parametrize("protocol", ["P1", "P2"])
def test_a_report_without_rows_is_named(protocol: str) -> None:
    with pytest.raises(ReportError, match=f"the report {protocol} on mine has 0 rows"):
        as_markdown(made(protocol, []))


def test_missing_figures_are_a_dash() -> None:
    assert column(as_markdown(P1), "NDCG@10, ties shuffled") == ["—", "—", "0.090"]


def test_a_model_without_the_headline_stands_last() -> None:
    rows = [row for row in P1.rows if (row.model, row.metric) != ("b", "NDCG")]
    block = as_markdown(replace(P1, rows=rows))
    assert column(block, "model")[-1] == "Ben / son (the served model)"
    assert column(block, "NDCG@10")[-1] == "—"


def test_costs_seeds_and_knowledge_of_time() -> None:
    block = as_markdown(P1)
    assert column(block, "seeds") == ["3 ± 0.004", "1", "1"]
    assert column(block, "fit s") == ["1,234", "12", "0.2"]
    assert column(block, "ms a query") == ["2.00", "0.10", "0.50"]
    assert column(block, "MB") == ["20.0", "0.0", "1.0"]
    assert column(block, "knows the time") == ["yes", "", ""]


def test_costs_that_nobody_measured_have_no_column() -> None:
    free = [c._replace(ms_per_query=0.0, megabytes=0.0, seeds=1) for c in P1.models]
    header = cells(as_markdown(replace(P1, models=free)))[0]
    assert "fit s" in header
    assert not {"ms a query", "MB", "seeds"} & set(header)


def test_stars_are_sorted_upward_with_four_digits() -> None:
    rows = [figure(v, m, "RMSE", mean, None) for v in ("90/10", "80/20") for m, mean in (("a", 0.93), ("b", 0.81236), ("c", 0.85))]
    block = as_markdown(made("P3", rows, [pair("90/10", "b", "a", -0.11764, 0.001, "RMSE", None)]))
    assert column(block, "RMSE 90/10") == ["0.8124 [0.8024, 0.8224]", "0.8500 [0.8400, 0.8600]", "0.9300 [0.9200, 0.9400]"]
    assert column(block, "RMSE 90/10 less that of Ann") == ["-0.1176* [-0.1186, -0.1166]", "—", "—"]


def test_the_cut_in_time_tells_warm_users_from_everybody() -> None:
    rows = [
        figure("last", m, "NDCG", mean, segment=s)
        for s, shift in (("users=warm", 0), (None, 0.5))
        for m, mean in (("a", 0.1 + shift), ("b", 0.2 + shift))
    ]
    block = as_markdown(made("P4", rows, [pair("last", "b", "a", 0.1, 0.001)], (A, B)))
    assert column(block, "last, warm users") == ["0.200 [0.190, 0.210]", "0.100 [0.090, 0.110]"]
    assert column(block, "last, everybody (less Ann)") == ["0.700 (+0.100*)", "0.600"]
    assert column(block, "all to come, warm users") == ["—", "—"]


def test_published_figures_stand_only_below_their_own_data_set() -> None:
    assert "Published" not in as_markdown(P1)
    assert "LRURec NDCG@10 0.193, HR@10 0.3264 (Yue et al., WSDM 2024)" in as_markdown(replace(P1, dataset="ml-1m"))


def test_the_copied_table_stands_below_p2_beside_ours() -> None:
    rows = [figure("80/20", "a", metric, mean) for metric, mean in (("P", 0.4), ("R", 0.2), ("NDCG", 0.45), ("own-hits NDCG", 0.72))]
    block = as_markdown(made("P2", rows, models=(A,), dataset="ml-1m"))
    assert "| Ann | 0.400 | 0.200 | 0.450 | 0.720 |" in block
    assert "| copied: hybrid with context | 0.350 | 0.173 | — | 0.689 |" in block
    assert "copied" not in as_markdown(made("P2", rows, models=(A,)))


def test_a_block_says_where_its_figures_come_from() -> None:
    last = as_markdown(P1).splitlines()[-1]
    assert last == (
        "From mine: data hash `dddddddddddddddd`, split checksum `cccccccccccccccc`, 6,040 users, 2026-11-22, `python -m recommender evaluate P1`."
    )


def test_cold_start_marks_what_beats_popularity_and_tells_the_thresholds() -> None:
    rows = [figure("later", m, "NDCG", mean, segment=f"known={n}") for n in (0, 10) for m, mean in (("a", 0.2), ("b", 0.1 + n / 50))]
    differences = [pair("later", "b", "a", delta, 0.01, segment=f"known={n}") for n, delta in ((0, -0.1), (10, 0.1))]
    block = as_markdown(made("cold-start", rows, differences, (A, B), thresholds={"later": {"few": 10, "many": None}}))
    assert "| Ben \\| son | 0.100 | 0.300* |\n| Ann | 0.200 | 0.200 |" in block
    assert "the hybrid from 10 ratings on, EASE alone at no number for good" in block


def test_context_is_a_line_a_signal() -> None:
    rows = [figure("part of day", name, "NDCG", mean) for name, mean in (("no context", 0.2), ("context", 0.21))]
    block = as_markdown(made("context", rows, [pair("part of day", "context", "no context", 0.01, 0.2)], ()))
    assert cells(block)[0] == ["NDCG@10", "users", "no context", "context", "context less no context"]
    assert cells(block)[1] == ["part of day", "6,040", "0.2000", "0.2100", "+0.0100 [+0.0090, +0.0110]"]


def test_an_unknown_report_is_named() -> None:
    with pytest.raises(ValueError, match="'P9'"):
        as_markdown(replace(P1, protocol="P9"))


def test_blocks_go_between_their_markers() -> None:
    pages = {
        "a.md": "above\n<!-- report: P1 -->\nold \\1\n<!-- /report: P1 -->\nbelow\n",
        "b.md": "<!-- report: P2 -->\n<!-- /report: P2 -->\n",
    }
    once = placed(pages, {"P1": "new \\1"})
    assert once["a.md"] == "above\n<!-- report: P1 -->\nnew \\1\n<!-- /report: P1 -->\nbelow\n"
    assert once["b.md"].startswith("<!-- report: P2 -->\nNot measured yet")
    assert placed(once, {"P1": "new \\1"}) == once


@pytest.mark.parametrize(
    "pages",
    [
        ("",),
        ("<!-- report: P1 -->\n",),
        ("<!-- /report: P1 -->\n<!-- report: P1 -->\n",),
        (2 * "<!-- report: P1 -->\n<!-- /report: P1 -->\n",),
        ("<!-- report: P1 -->\n<!-- /report: P1 -->\n", "<!-- report: P1 -->\n<!-- /report: P1 -->\n"),
    ],
)
def test_a_missing_or_doubled_marker_is_an_error(pages: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match=r"report: P1"):
        placed({f"{n}.md": text for n, text in enumerate(pages)}, {"P1": "new"})


def test_a_headline_is_the_best_model_beside_the_best_baseline(tmp_path: Path) -> None:
    write(P1, tmp_path)
    # Ben leads Cem by NDCG@10, .25 to .2; what Ben is compared with is Ann
    expected = ["P1: which film comes next, NDCG@10", "Ben / son: 0.250 [0.240, 0.260]", "Ann: 0.100 [0.090, 0.110]", "+0.150* [+0.149, +0.151]", "—"]
    assert cells(headlines(tmp_path))[1:] == [expected]
    rows = [figure(v, m, "RMSE", mean, None) for v in ("90/10",) for m, mean in (("a", 0.93), ("b", 0.81236), ("c", 0.85))]
    differences = [pair("90/10", "b", "a", -0.11764, 0.001, "RMSE", None)]
    write(replace(made("P3", rows, differences), dataset="ml-1m"), tmp_path)
    assert cells(headlines(tmp_path))[2][1:] == ["Ben / son: 0.8124 [0.8024, 0.8224]", "Ann: 0.9300 [0.9200, 0.9400]", "-0.1176* [-0.1186, -0.1166]",
                                                "0.814 (myFM, ordered probit)"]  # fmt: skip


def test_text_goes_between_other_comments_too() -> None:
    assert between("<!-- a: b c -->\n\n<!-- /a -->", "a: b c", "/a", "new") == "<!-- a: b c -->\nnew\n<!-- /a -->"


def test_an_unreadable_report_is_an_error(tmp_path: Path) -> None:
    write(P1, tmp_path)
    Path(tmp_path, "P2.json").write_text('{"rows": [')
    with pytest.raises(ReportError, match=r"P2\.json"):
        blocks(tmp_path)


def test_the_command_prints_the_tables_and_writes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = Path(ROOT, "README.md").read_bytes()
    write(P1, tmp_path / "reports")
    monkeypatch.setattr(settings(), "artifacts", tmp_path)
    monkeypatch.setattr("recommender.examine.every_table", lambda folder: blocks(folder / "reports"))
    printed = CliRunner().invoke(app, ["tables"])
    assert printed.exit_code == 0, printed.output
    assert as_markdown(P1) in printed.output
    assert Path(ROOT, "README.md").read_bytes() == before


def test_the_command_ends_with_one_line_on_a_damaged_report(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    Path(tmp_path, "reports").mkdir()
    Path(tmp_path, "reports", "P1.json").write_text("[]")
    monkeypatch.setattr(settings(), "artifacts", tmp_path)
    monkeypatch.setattr("sys.argv", ["recommender", "tables"])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
    assert "P1.json is not a report" in capsys.readouterr().err


def test_the_command_writes_into_all_pages_or_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    readme, page, other = tmp_path / "README.md", tmp_path / "docs" / "results.md", tmp_path / "docs" / "other.md"
    page.parent.mkdir()
    empty = lambda *names: "".join(f"<!-- report: {name} -->\n<!-- /report: {name} -->\n" for name in names)
    for path, text in ((readme, empty("headlines")), (page, empty("models", "settings")), (other, "no marks\n")):
        path.write_text(text)
    report = write(P1, tmp_path / "reports")
    for name in ("ROOT", "settings"):
        monkeypatch.setattr(
            f"recommender.examine.{name}", tmp_path if name == "ROOT" else lambda: settings().model_copy(update={"artifacts": tmp_path})
        )
    monkeypatch.setattr("recommender.artifacts.cards", lambda folder: [])
    monkeypatch.setattr("recommender.artifacts.as_markdown", lambda cards: "the models")
    assert isinstance(CliRunner().invoke(app, ["tables", "--write"]).exception, ValueError)
    assert "the models" not in page.read_text()  # P1 has no place: all or nothing
    page.write_text(empty("models", "settings", "P1"))
    assert CliRunner().invoke(app, ["tables", "--write"]).exit_code == 0
    assert "the models" in page.read_text()
    assert blocks(report.parent)["P1"] in page.read_text()
    assert "Ben" in readme.read_text()
    assert other.read_text() == "no marks\n"
