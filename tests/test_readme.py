"""What README.md and docs/ say is what the commands print."""

import re
import tomllib
from pathlib import Path

import pytest
from typer import Typer
from typer.testing import CliRunner

from recommender import __version__
from recommender.__main__ import app
from recommender.evaluate import report
from recommender.evaluate.tables import MARK, blocks, placed
from recommender.examine import every_table
from recommender.settings import ROOT, Settings

PAGES = {path.relative_to(ROOT).as_posix(): path.read_text("utf-8") for path in [*sorted(ROOT.glob("*.md")), *sorted(ROOT.glob("docs/*.md"))]}
MARKED = {page: text for page, text in PAGES.items() if MARK.search(text)}
REPORTS = report.files(Path(ROOT, "artifacts", "reports"))
run = CliRunner().invoke


def block(name: str) -> str:
    """What stands between the markers of a name, on whichever page has them."""
    (found,) = [m[1] for text in PAGES.values() for m in re.finditer(rf"<!-- report: {name} -->\n(.*?)\n?<!-- /report: {name} -->", text, re.S)]
    return found


def test_the_table_of_models_is_the_one_the_command_prints() -> None:
    printed = run(app, ["models", "--markdown"])
    assert printed.exit_code == 0, printed.output
    assert block("models") == printed.output.strip()


def test_every_setting_says_what_it_is() -> None:
    assert [name for name, field in Settings.model_fields.items() if not field.description] == []


def test_the_floor_plan_names_every_room() -> None:
    plan = re.search(r"## Floor plan\n\n```\n(.*?)\n```", PAGES["README.md"], re.S)[1]
    rooms = {path.stem for path in Path(ROOT, "recommender").iterdir() if not path.name.startswith(("_", "."))}
    assert rooms - set(re.findall(r"\w+", plan)) == set()


@pytest.mark.parametrize("path", REPORTS, ids=lambda path: path.stem)
def test_the_table_of_a_report_stands_between_its_markers(path: Path) -> None:
    assert block(path.stem) == blocks(path.parent)[path.stem], "python -m recommender tables --write brings it up to date"


def test_writing_the_tables_changes_nothing() -> None:
    assert placed(MARKED, every_table(Path(ROOT, "artifacts"))) == MARKED


def test_a_headline_is_the_first_line_of_its_league() -> None:
    lines = [line.strip("| ").split(" | ") for line in block("headlines").splitlines()[2:]]
    assert [asked.split(":")[0] for asked, *_ in lines] == ["P1", "P2", "P3", "P4"]
    for asked, best, against, *_ in lines:
        league = block(asked.split(":")[0]).splitlines()
        label, figure = best.rsplit(": ", 1)
        assert league[2].startswith(f"| {label} ")
        assert asked.startswith("P4") or figure in league[2]  # that league is of warm users, the headline of everybody
        assert any(line.startswith(f"| {against.rsplit(': ', 1)[0]} ") for line in league[3:])


@pytest.mark.parametrize("path", [p for p in REPORTS if p.stem != "data" and not p.stem.startswith("audit")], ids=lambda path: path.stem)
def test_a_changed_figure_changes_the_page(path: Path, tmp_path: Path) -> None:
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
    assert blocks(tmp_path)[path.stem] != block(path.stem)


def commands(of: Typer, before: str = "") -> list[str]:
    """Every command by its words, those of groups too."""
    own = [before + (command.name or command.callback.__name__) for command in of.registered_commands if command.callback]
    return own + [name for group in of.registered_groups if group.typer_instance for name in commands(group.typer_instance, f"{before}{group.name} ")]


@pytest.mark.parametrize("name", commands(app))
def test_every_command_has_help_and_stands_in_the_docs(name: str) -> None:
    shown = run(app, [*name.split(), "--help"])
    assert shown.exit_code == 0
    assert len(shown.output.splitlines()) > 5
    assert any(re.search(rf"python -m recommender.* {name}\b|recommender {name}\b", text) for text in PAGES.values()), (
        f"no page names the command {name}"
    )


def anchors(text: str) -> set[str]:
    """The addresses of a page's headings, as GitHub makes them."""
    heads = re.findall(r"^#+ (.*)$", re.sub(r"^```.*?^```", "", text, flags=re.M | re.S), re.M)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


@pytest.mark.parametrize("page", PAGES)
def test_the_pictures_files_and_headings_a_page_points_to_are_there(page: str) -> None:
    for path, heading in re.findall(r"\]\((?!http)([^)#]*)(?:#([^)]*))?\)", PAGES[page]):
        target = Path(ROOT, page).parent / path if path else Path(ROOT, page)
        assert target.exists(), f"{page} points to {path}, which is not there"
        assert not heading or heading in anchors(target.read_text("utf-8")), f"{page} points to {path}#{heading}, which is no heading"


def test_the_readme_leads_to_every_page() -> None:
    missing = [page for page in PAGES if page != "README.md" and f"]({page})" not in PAGES["README.md"]]
    assert not missing, f"README.md does not lead to {', '.join(missing)}"


def test_the_version_stands_in_one_place_and_the_changelog_tells_of_it() -> None:
    assert re.findall(r"^## (\S+) - \d{4}-\d\d-\d\d$", PAGES["CHANGELOG.md"], re.M)[0] == __version__
    assert tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["setuptools"]["dynamic"]["version"] == {
        "attr": "recommender.__version__"
    }
    assert f"newTag: {__version__} " in (ROOT / "deploy" / "kubernetes" / "kustomization.yaml").read_text("utf-8")
