"""What the README says is what the commands print."""

import re
from pathlib import Path

import pytest
from typer import Typer
from typer.testing import CliRunner

from recommender.__main__ import app
from recommender.evaluate import report
from recommender.evaluate.tables import blocks, placed
from recommender.settings import ROOT

README = Path(ROOT, "README.md").read_text("utf-8")
REPORTS = report.files(Path(ROOT, "artifacts", "reports"))
run = CliRunner().invoke


def test_the_table_of_models_is_the_one_the_command_prints() -> None:
    printed = run(app, ["models", "--markdown"])
    assert printed.exit_code == 0, printed.output
    block = re.search(r"<!-- models: .*?-->\n(.*?)<!-- /models -->", README, re.S)
    assert block
    assert block[1].strip() == printed.output.strip()


@pytest.mark.parametrize("path", REPORTS, ids=lambda path: path.stem)
def test_the_table_of_a_report_stands_between_its_markers(path: Path) -> None:
    block = re.search(rf"<!-- report: {path.stem} -->\n(.*?)\n<!-- /report: {path.stem} -->", README, re.S)
    assert block, f"README.md has no markers for {path.name}"
    assert block[1] == blocks(path.parent)[path.stem], "python -m recommender tables --write brings it up to date"


def test_writing_the_tables_changes_nothing() -> None:
    assert placed(README, blocks(Path(ROOT, "artifacts", "reports"))) == README


@pytest.mark.parametrize("path", [p for p in REPORTS if p.stem != "data" and not p.stem.startswith("audit")], ids=lambda path: path.stem)
def test_a_changed_figure_changes_the_readme(path: Path, tmp_path: Path) -> None:
    found = report.read(path)
    headline = {
        ("NDCG", 10, None),
        ("NDCG", 10, "known=0"),
        ("NDCG", 10, "asked=20"),
        ("RMSE", None, None),
        ("deletion", 10, None),
        ("coverage", None, None),
        ("verdict", None, None),
        ("lift", 10, None),
        ("RMSE", None, "policy=near"),
        ("regret", None, None),
        ("ctr", None, None),
        ("ms p50", None, "users=8"),
    }
    place = next(n for n, row in enumerate(found.rows) if (row.metric, row.k, row.segment) in headline)
    found.rows[place] = found.rows[place]._replace(mean=0.9876)
    report.write(found, tmp_path)
    assert blocks(tmp_path)[path.stem] not in README


def commands(of: Typer, before: str = "") -> list[str]:
    """Every command by its words, those of groups too."""
    own = [before + (command.name or command.callback.__name__) for command in of.registered_commands if command.callback]
    return own + [name for group in of.registered_groups if group.typer_instance for name in commands(group.typer_instance, f"{before}{group.name} ")]


@pytest.mark.parametrize("name", commands(app))
def test_every_command_has_help_and_stands_in_the_readme(name: str) -> None:
    shown = run(app, [*name.split(), "--help"])
    assert shown.exit_code == 0
    assert len(shown.output.splitlines()) > 5
    assert re.search(rf"python -m recommender.* {name}\b|recommender {name}\b", README), f"the README does not name the command {name}"


def test_the_pictures_and_files_the_readme_shows_are_there() -> None:
    for path in re.findall(r"\]\(((?!http)[^)#]+)\)", README):
        assert Path(ROOT, path).exists(), f"the README shows {path}, which is not there"
