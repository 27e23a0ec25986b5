"""Rankings in the formats of TREC, so that anybody can work out the figures with another program."""

from __future__ import annotations

from pathlib import Path

from recommender.catalog import Catalog
from recommender.evaluate.rankings import Ranking
from recommender.evaluate.split import Split, stem


def write(split: Split, found: dict[str, list[Ranking]], catalog: Catalog, folder: Path) -> None:
    """PROTOCOL-variant.qrels and one PROTOCOL-variant-model.run each, with the publisher's film ids; of several seeds, -model-0.run and on.

    A query is named by user id, and where a user is asked several times by user id and place. Scores in a run count down from the length of
    the list, because programs break ties of real scores in ways of their own. These files hold people's histories: never commit them.
    """
    folder.mkdir(parents=True, exist_ok=True)
    beginning = stem(split)
    ids, names = catalog.ids, _names(split)
    with (folder / f"{beginning}.qrels").open("w") as file:
        relevant = split.relevant
        for row, name in enumerate(names):
            for item in relevant.indices[relevant.indptr[row] : relevant.indptr[row + 1]].tolist():
                file.write(f"{name} 0 {ids[item]} 1\n")
    runs = {name if len(of) == 1 else f"{name}-{seed}": ranking for name, of in found.items() for seed, ranking in enumerate(of)}
    for model, ranking in runs.items():
        length = ranking.shown.shape[1]
        with (folder / f"{beginning}-{model}.run").open("w") as file:
            for name, shown in zip(names, ranking.shown.tolist()):
                file.writelines(f"{name} Q0 {ids[item]} {place + 1} {length - place} {model}\n" for place, item in enumerate(shown))


def _names(split: Split) -> list[str]:
    users = split.source.user_ids[split.users].tolist()
    if len(set(users)) == len(users):
        return [str(user) for user in users]
    return [f"{user}-{stop - start}" for user, (start, stop) in zip(users, split.spans.tolist())]
