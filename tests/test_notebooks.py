"""The notebooks of docs/notebooks run from top to bottom on the small world, and are kept without what a run leaves in them."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import nbformat
import pytest
from jupyter_client import KernelManager
from nbclient import NotebookClient
from nbformat import NotebookNode

from recommender.settings import ROOT
from recommender.ui.vega import NIGHT

FOLDER = ROOT / "docs" / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))
CHARTS = {"exploration": 4, "training": 2, "evaluation": 2}
VEGA = "application/vnd.vegalite.v5+json"
every_notebook = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)


class Here(KernelManager):
    """A kernel of the Python that runs the tests, whatever kernels the machine knows."""

    @property
    def kernel_spec(self):
        spec = super().kernel_spec
        spec.argv[0] = sys.executable
        return spec


@pytest.fixture(scope="module", params=NOTEBOOKS, ids=lambda path: path.stem)
def ran(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, NotebookNode]:
    """A notebook after its run, in a house without a data set."""
    notebook = nbformat.read(request.param, 4)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MARQUEE_RAW", str(tmp_path_factory.mktemp("raw")))
        patch.setenv("OMP_NUM_THREADS", "1")
        NotebookClient(notebook, timeout=240, resources={"metadata": {"path": str(FOLDER)}}, kernel_manager_class=Here).execute()
    return request.param.stem, notebook


def outputs(notebook: NotebookNode) -> list[NotebookNode]:
    return [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]


def printed(notebook: NotebookNode) -> str:
    return "".join(output.text for output in outputs(notebook) if output.output_type == "stream" and output.name == "stdout")


def test_it_runs_without_a_word_of_complaint(ran: tuple[str, NotebookNode]) -> None:
    _, notebook = ran
    assert not [output.text for output in outputs(notebook) if output.output_type == "stream" and output.name == "stderr"]
    assert printed(notebook).startswith("A synthetic world")


def test_its_charts_are_drawn_in_the_colours_of_the_house(ran: tuple[str, NotebookNode]) -> None:
    name, notebook = ran
    specs = [output.data[VEGA] for output in outputs(notebook) if VEGA in output.get("data", {})]
    assert len(specs) == CHARTS[name]
    for spec in specs:
        assert spec["background"] == NIGHT
        assert spec["title"]["text"]
        assert spec["data"]["values"]


def test_what_it_says_is_true_of_the_small_world(ran: tuple[str, NotebookNode]) -> None:
    """80 films, half of them each viewer's kind; EASE finds the kind, and a film of the other kind is never shown."""
    name, notebook = ran
    said = printed(notebook)
    if name == "exploration":
        assert "80, of which 80 are rated" in said
        assert "local time is known of 100%" in said
    elif name == "training":
        liked, shown = re.search(r"Liked: (.*)\nShown: (.*)\n", said).groups()
        assert liked.count("Even") == shown.count("Even") - 2 == 3 or liked.count("Odd") == shown.count("Odd") - 2 == 3
        assert "reasons sum to" in said
        assert "same scores to the last bit" in said
        points, total = re.search(r": ([\d.]+) points; its \d+ reasons sum to (\d\.\d+)", said).groups()
        assert points == total
    else:
        held = [float(share) for share in re.findall(r"([\d.]+)% of 200 intervals", said)]
        assert len(held) == 5
        assert min(held[1:]) > 90
        assert "less Chance" not in said
        assert re.search(r"Chance less .*: -0\.\d+ \[-0\.\d+, -0\.\d+\], p = 0\.\d+: beyond noise", said)


@every_notebook
def test_it_is_kept_clean(path: Path) -> None:
    raw = path.read_text("utf-8")
    notebook = nbformat.reads(raw, 4)
    nbformat.validate(notebook)
    assert not outputs(notebook)
    assert all(cell.execution_count is None for cell in notebook.cells if cell.cell_type == "code")
    assert set(notebook.metadata) == {"kernelspec", "language_info"}
    assert notebook.metadata.kernelspec == {"display_name": "Python 3", "language": "python", "name": "python3"}
    assert all(not cell.metadata for cell in notebook.cells)
    assert str(ROOT) not in raw
    assert "/home/" not in raw
    assert raw == json.dumps(json.loads(raw), indent=1, ensure_ascii=False) + "\n"


@every_notebook
def test_no_figure_is_typed_into_its_text(path: Path) -> None:
    text = "\n".join(cell.source for cell in nbformat.read(path, 4).cells if cell.cell_type == "markdown")
    figures = re.findall(r"\d*\.\d+|\d+(?:,\d{3})+", re.sub(r"`[^`]*`|\([^)]*\)", "", text))
    assert not figures, f"{path.name} says {', '.join(figures)}; a cell has to work it out"


@every_notebook
def test_its_links_lead_somewhere(path: Path) -> None:
    text = "\n".join(cell.source for cell in nbformat.read(path, 4).cells if cell.cell_type == "markdown")
    for link in re.findall(r"\]\(((?!http)[^)#]+)", text):
        assert (FOLDER / link).exists(), f"{path.name} points to {link}, which is not there"
