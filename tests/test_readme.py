"""What the README says is what the commands print."""

import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from recommender.__main__ import app
from recommender.settings import ROOT

README = Path(ROOT, "README.md").read_text("utf-8")
run = CliRunner().invoke


def test_the_table_of_models_is_the_one_the_command_prints() -> None:
    printed = run(app, ["models", "--markdown"])
    assert printed.exit_code == 0, printed.output
    block = re.search(r"<!-- models: .*?-->\n(.*?)<!-- /models -->", README, re.S)
    assert block
    assert block[1].strip() == printed.output.strip()


@pytest.mark.parametrize("name", [command.name or command.callback.__name__ for command in app.registered_commands if command.callback])
def test_every_command_has_help_and_stands_in_the_readme(name: str) -> None:
    shown = run(app, [name, "--help"])
    assert shown.exit_code == 0
    assert len(shown.output.splitlines()) > 5
    assert re.search(rf"python -m recommender.* {name}\b|recommender {name}\b", README), f"the README does not name the command {name}"


def test_the_pictures_and_files_the_readme_shows_are_there() -> None:
    for path in re.findall(r"\]\(((?!http)[^)#]+)\)", README):
        assert Path(ROOT, path).exists(), f"the README shows {path}, which is not there"
