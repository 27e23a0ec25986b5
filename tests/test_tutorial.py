"""docs/your-own-algorithm.md, followed to the letter in a copy of the house: its files, its edits, its laws, its commands, what it prints."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from recommender.load import read_films
from recommender.serve.viewers import load_viewers
from recommender.settings import ROOT

PAGE = (ROOT / "docs" / "your-own-algorithm.md").read_text("utf-8")
MODEL = "recommender/models/walk.py"
WORDS = {"commands": "sh", "edit": "diff", "prints": "text", "run": "python"}


def blocks(mark: str, language: str) -> list[str]:
    """The code blocks that stand below a mark."""
    return re.findall(rf"<!-- {re.escape(mark)} -->\n```{language}\n(.*?)```\n", PAGE, re.S)


def files() -> dict[str, str]:
    return dict(re.findall(r"<!-- file: (\S+) -->\n```python\n(.*?)```\n", PAGE, re.S))


def lines_of_code(source: str) -> int:
    """Lines that are neither empty nor a comment; docstrings count."""
    return sum(1 for line in source.splitlines() if line.strip() and not line.strip().startswith("#"))


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The house with the page's model in it; what is large is linked, what is written goes to places of its own."""
    house = tmp_path_factory.mktemp("tutorial")
    shutil.copytree(ROOT / "recommender", house / "recommender", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("artifacts", "data/raw"):
        (house / name).mkdir(parents=True)
    for path in (ROOT / "artifacts").iterdir():
        (house / "artifacts" / path.name).symlink_to(path)
    (house / "artifacts" / "reports").unlink()
    for name in ("films.csv", "monochrome.csv", "viewers.json"):
        shutil.copy(ROOT / "data" / name, house / "data" / name)
    (house / "tests").mkdir()
    shutil.copy(ROOT / "tests" / "test_models.py", house / "tests")
    for name, source in files().items():
        (house / name).write_text(source, "utf-8")
    for edit in blocks("edit", "diff"):
        subprocess.run(["git", "apply", "-"], input=edit, text=True, cwd=house, check=True, env={**os.environ, "GIT_CEILING_DIRECTORIES": str(house)})
    return house


FOLLOW = """
import shlex, sys
import pytest
from typer.testing import CliRunner
mark, laws, asked, *commands = sys.argv[1:]
assert pytest.main(["-v", "-p", "no:cacheprovider", "--color=no", *shlex.split(laws)]) == 0
print(mark)
exec(asked)
from recommender.__main__ import app
from recommender.serve.phrases import PART_NAMES
print(mark, PART_NAMES["random_walk"], sep="\\n")
for command in commands:
    done = CliRunner().invoke(app, shlex.split(command), catch_exceptions=False)
    assert done.exit_code == 0, done.output
    print(mark, done.output, sep="\\n")
"""
MARK = "- " * 20


@pytest.fixture(scope="module")
def followed(copy: Path) -> list[str]:
    """What came out, in one process: of the laws, of the page's code, the model's name on the screen, and of each command."""
    planted(copy / "data" / "raw" / "ml-1m")
    (laws,), (asked,), (shown,) = re.findall(r"^python -m pytest (.*)$", PAGE, re.M), blocks("run", "python"), blocks("commands", "sh")
    commands = [line.removeprefix("python -m recommender ") for line in shown.splitlines()]
    own = {"PYTHONPATH": str(copy), "MARQUEE_DATABASE_URL": f"sqlite:///{copy / 'feedback.sqlite'}", "MARQUEE_RELEASES": str(copy / "releases")}
    done = subprocess.run(
        [sys.executable, "-c", FOLLOW, MARK, laws, asked, *commands], cwd=copy, capture_output=True, text=True, env={**os.environ, **own}
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.split(f"{MARK}\n")


def planted(folder: Path) -> None:
    """Ratings of 300 made-up people, in the files of MovieLens 1M and of its films: each has one of two groups of films, one of them Vera's."""
    films, rng = read_films(ROOT / "data" / "films.csv"), np.random.default_rng(0)
    own = load_viewers(ROOT / "data" / "viewers.json", films)["vera"].profile.items
    order = films.ids[np.concatenate([own, np.setdiff1d(np.arange(len(films)), own)])]
    names = np.array(films.genre_names)
    folder.mkdir(parents=True)
    titles = [f"{title} ({year})" for title, year in zip(films.titles, films.years)]
    rows = zip(films.ids, titles, ("|".join(names[has]) for has in films.genres))
    (folder / "movies.dat").write_text("".join(f"{id_}::{title}::{genres}\n" for id_, title, genres in rows), "latin-1", "replace")
    (folder / "users.dat").write_text("".join(f"{user}::F::25::1::10001\n" for user in range(1, 301)))
    watched = [(user, film) for user in range(1, 301) for film in rng.choice(order[80 * (user % 2) :][:80], 25, replace=False)]
    (folder / "ratings.dat").write_text("".join(f"{user}::{film}::5::{10**9 + n * 60}\n" for n, (user, film) in enumerate(watched)))


def test_the_model_has_at_most_40_lines_and_is_none_of_ours() -> None:
    assert lines_of_code(files()[MODEL]) <= 40
    assert not (ROOT / MODEL).exists()
    edits = "".join(blocks("edit", "diff"))
    assert re.findall(r"^\+\+\+ b/(.*)$", edits, re.M) == ["recommender/models/__init__.py", "recommender/evaluate/contenders.py"]
    assert len(re.findall(r"^\+(?!\+\+)", edits, re.M)) == 4  # an import and a line each


def test_every_block_of_code_is_run() -> None:
    marked = sum(len(blocks(mark, language)) for mark, language in WORDS.items()) + len(files())
    assert PAGE.count("```") == 2 * (marked + 1)  # and the command of the suite, which stands in the next test


def test_it_keeps_the_laws_of_every_model(followed: list[str]) -> None:
    suite = re.findall(r"^@every_model\n", (ROOT / "tests" / "test_models.py").read_text("utf-8"), re.M)
    assert len(re.findall(r"\[random_walk\] PASSED", followed[0])) == len(suite)
    assert "test_walks_by_hand PASSED" in followed[0]


def test_it_prints_what_the_page_says(followed: list[str]) -> None:
    assert followed[1] == blocks("prints", "text")[0]


def test_its_commands_train_serve_compare_and_examine(followed: list[str], copy: Path) -> None:
    name, trained, rows, explained, beside, examined = followed[2:]
    assert name.strip() == "Random walk"
    assert re.search(r"random_walk: NDCG@10 0\.\d+ \[0\.\d+, 0\.\d+\]", trained)
    assert sorted(path.name for path in (copy / "artifacts" / "random_walk").iterdir()) == ["card.json", "weights.safetensors"]
    assert "Because you" in rows
    assert "The Abyss" in explained
    assert "random_walk" in beside
    assert "random_walk: NDCG@10" in examined
    assert '"random_walk"' in (copy / "artifacts" / "reports" / "P2.json").read_text()
