"""The floor plan, held over the syntax tree: who may import whom, and what may stand where."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from recommender.serve.viewers import SHAPES

ROOT = Path(__file__).resolve().parents[1]

# From the ground up. A room may use what stands above it in this list and itself; rooms of one line are blind to each other.
FLOORS = (
    ("stats", "settings", "policy"),
    ("types", "names"),
    ("catalog", "interactions"),
    ("load", "world", "rank"),
    ("models", "datacard", "fetch", "counterfactual"),
    ("artifacts", "interview", "steer"),
    ("serve", "evaluate"),
    ("train",),
    ("compare", "experiment", "refresh", "about"),
    ("ui", "ask", "mine", "examine", "trials", "bench", "api", "operate", "scale"),
    ("beside", "client", "loadtest"),
    ("__main__", "demo"),
)
LEVEL = {room: level for level, rooms in enumerate(FLOORS) for room in rooms}
PAGES_USE = ("recommender.ui", "recommender.serve", "recommender.experiment", "recommender.evaluate.report", "recommender.types")
NETWORKS = {
    f"recommender/models/{name}.py" for name in ("content", "filler", "hybrid", "loop", "processes", "ratings", "sequence", "softmax", "transformer")
}

SOURCES = sorted([*ROOT.glob("recommender/**/*.py"), *ROOT.glob("pages/*.py"), ROOT / "app.py"])
TREES = {path.relative_to(ROOT).as_posix(): ast.parse(path.read_text("utf-8")) for path in SOURCES}
every_file = pytest.mark.parametrize("file", TREES)


def only_for_types(tree: ast.Module) -> set[ast.AST]:
    """Nodes under `if TYPE_CHECKING:`, which never run."""
    blocks = [n for n in ast.walk(tree) if isinstance(n, ast.If) and isinstance(n.test, ast.Name) and n.test.id == "TYPE_CHECKING"]
    return {inner for block in blocks for inner in ast.walk(block)}


def imports(file: str) -> Iterator[tuple[str, bool]]:
    """(dotted name, whether it is imported when the file is) of everything a file imports, names of `from x import y` as x.y."""
    tree = TREES[file]
    skipped = only_for_types(tree)
    late = {n for f in ast.walk(tree) if isinstance(f, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) for n in ast.walk(f) if n is not f}
    for node in ast.walk(tree):
        if node in skipped:
            continue
        if isinstance(node, ast.Import):
            yield from ((alias.name, node not in late) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}:{node.lineno}: imports are written in full"
            yield from ((f"{node.module}.{alias.name}", node not in late) for alias in node.names)


def room(file: str) -> str:
    return Path(file).parts[1].removesuffix(".py")


@every_file
def test_each_room_uses_only_what_stands_above_it(file: str) -> None:
    used = {name.split(".")[1] for name, _ in imports(file) if name.startswith("recommender.")} - {"__version__"}
    if file == "app.py":
        assert used == {"ui"}
    elif file.startswith("pages/"):
        wrong = [name for name, _ in imports(file) if name.startswith("recommender") and not name.startswith(PAGES_USE)]
        assert not wrong, f"{file} imports {', '.join(wrong)}; wanted only {', '.join(PAGES_USE)}"
    elif file != "recommender/__init__.py":
        here = room(file)
        assert here in LEVEL, f"{file} stands on no floor of the plan"
        wrong = sorted(other for other in used if other != here and LEVEL[other] >= LEVEL[here])
        assert not wrong, f"{file} imports {', '.join(wrong)}, which do not stand above {here}"


@every_file
def test_streamlit_stays_in_its_room(file: str) -> None:
    found = [name for name, _ in imports(file) if name.split(".")[0] == "streamlit"]
    if file.startswith("recommender/loadtest/"):  # plays a browser: it speaks the protocol, and draws nothing
        found = [name for name in found if not name.startswith("streamlit.proto.")]
    assert not found or file == "app.py" or file.startswith(("pages/", "recommender/ui/"))


@every_file
def test_torch_stays_with_the_networks(file: str) -> None:
    found = [at_once for name, at_once in imports(file) if name.split(".")[0] == "torch"]
    assert not any(found) or file in NETWORKS, f"{file} imports torch when it is imported"
    assert not found or not file.startswith(("pages/", "recommender/ui/", "recommender/stats/", "recommender/evaluate/"))


def test_the_network_stands_alone() -> None:
    assert {name.split(".")[0] for name, _ in imports("recommender/models/transformer.py")} == {"__future__", "torch"}


def test_statistics_know_nothing_of_films() -> None:
    for file in TREES:
        if file.startswith("recommender/stats/"):
            assert not [name for name, _ in imports(file) if name.startswith("recommender") and not name.startswith("recommender.stats")]


FORBIDDEN_MODULES = {"pickle", "cPickle", "dill", "cloudpickle", "joblib", "shelve", "marshal", "imp", "importlib"}
FORBIDDEN_CALLS = {"eval", "exec", "compile", "__import__", "breakpoint"}


@every_file
def test_nothing_runs_code_from_data(file: str) -> None:
    assert not {name.split(".")[0] for name, _ in imports(file)} & FORBIDDEN_MODULES
    for node in ast.walk(TREES[file]):
        if isinstance(node, ast.Call):
            called = ast.unparse(node.func)
            assert called not in FORBIDDEN_CALLS, f"{file}:{node.lineno} calls {called}"
            assert called not in ("torch.load", "pd.read_pickle", "yaml.load"), f"{file}:{node.lineno} calls {called}"
            allowed = [k for k in node.keywords if k.arg in ("allow_pickle", "shell") and ast.unparse(k.value) != "False"]
            assert not allowed, f"{file}:{node.lineno} passes {allowed[0].arg}"


PROTOCOL = {"fit", "score", "explain", "forward", "backward", "fold", "contributions"}  # said once, where the protocol or the base class is


def public(tree: ast.Module) -> Iterator[ast.FunctionDef | ast.ClassDef]:
    """Classes and functions of a module, and longer methods; not the private ones and what a protocol describes."""
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_"):
            yield node
            for method in node.body if isinstance(node, ast.ClassDef) else ():
                if isinstance(method, ast.FunctionDef) and not method.name.startswith("_") and method.name not in PROTOCOL:
                    short = method.end_lineno - method.body[0].lineno < 3
                    if not short:
                        yield method


@every_file
def test_everything_public_says_what_it_does(file: str) -> None:
    tree = TREES[file]
    assert ast.get_docstring(tree), f"{file} has no docstring"
    drawn = set(SHAPES) if file == "recommender/ui/avatars.py" else set()  # faces, described in SHAPES
    silent = [n.name for n in public(tree) if n.name not in drawn and not ast.get_docstring(n) and n.end_lineno - n.body[0].lineno >= 3]
    assert not silent, f"{file}: {', '.join(silent)} have no docstring"


@every_file
def test_files_and_functions_stay_readable(file: str) -> None:
    source = (ROOT / file).read_text("utf-8")
    lines = source.count("\n")
    assert lines <= (100 if file.startswith("pages/") else 320), f"{file} has {lines} lines"
    functions = [n for n in ast.walk(TREES[file]) if isinstance(n, ast.FunctionDef)]
    long = [f"{f.name} ({f.end_lineno - f.lineno + 1})" for f in functions if f.end_lineno - f.lineno >= 70]
    assert not long, f"{file}: {', '.join(long)} lines"


def test_the_only_list_of_models() -> None:
    from recommender.models import MODELS

    assert all(name.isidentifier() and name == name.lower() for name in MODELS)


@pytest.mark.parametrize("file", sorted(p.relative_to(ROOT).as_posix() for p in ROOT.glob("pages/*.py")))
def test_a_page_enters_the_frame_first(file: str) -> None:
    body = [
        n for n in TREES[file].body if not isinstance(n, ast.Import | ast.ImportFrom | ast.Expr) or isinstance(getattr(n, "value", None), ast.Call)
    ]
    first = body[0].value if isinstance(body[0], ast.Expr | ast.Assign) else None
    assert isinstance(first, ast.Call)
    assert ast.unparse(first.func) == "router.enter"
