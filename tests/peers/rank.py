"""Answers of other libraries to the questions that `python -m recommender.evaluate.peers` wrote: `make peers` does both.

Runs in an environment of its own (requirements-peers.txt) and imports nothing of this project. Every answer is NAME.npz, with ranked lists
or predicted stars, and NAME.json, with what it cost; what is answered already is not asked again. Settings are chosen on a part of the
training rows, never on the test: it is not here. Costs are processor seconds, which do not depend on what else the machine is doing.
"""

from __future__ import annotations

import argparse
import json
import logging
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy import sparse

SEED = 0
TIMED = 30  # queries asked one by one
VALIDATED = 2000  # users on whom settings are chosen


@dataclass(frozen=True, eq=False)
class Question:
    """A folder with what may be known: facts of question.json, arrays of question.npz; rows (N,) in order, oldest first within a user."""

    folder: Path
    facts: dict
    arrays: dict[str, np.ndarray]

    @classmethod
    def read(cls, folder: Path) -> Question:
        with np.load(folder / "question.npz", allow_pickle=False) as stored:
            return cls(folder, json.loads((folder / "question.json").read_text("utf-8")), dict(stored))

    @property
    def protocol(self) -> str:
        return self.facts["protocol"]

    def frame(self) -> pd.DataFrame:
        """Training rows in the columns that RecTools wants; the place of a row stands for its time, so that ties keep their order."""
        a = self.arrays
        when = pd.Timestamp(0) + pd.to_timedelta(np.arange(len(a["train_users"])), unit="s")
        return pd.DataFrame({"user_id": a["train_users"], "item_id": a["train_items"], "weight": 1.0, "datetime": when})

    def matrix(self, kept: np.ndarray | slice = slice(None)) -> sparse.csr_matrix:
        """float32 (U, I) of ones, of the training rows or some of them."""
        users, items = self.arrays["train_users"], self.arrays["train_items"]
        shape = (int(users.max()) + 1, self.facts["films"])
        return sparse.csr_matrix((np.ones(len(users[kept]), np.float32), (users[kept], items[kept])), shape=shape)

    def check(self) -> None:
        """Each user is asked once and has seen what is trained on: the libraries filter by that."""
        a = self.arrays
        trained = self.matrix()[a["users"]]
        seen = sparse.csr_matrix((np.ones(len(a["seen"]), np.float32), a["seen"], a["bounds"]), shape=trained.shape)
        if (np.diff(a["users"]) <= 0).any() or (trained != seen).nnz:
            raise ValueError(f"{self.folder}: users must be asked once, in order, with all their training rows seen")


class Answer(NamedTuple):
    """What a peer found: lists (B, K) with scores, or predicted stars (N,); and what it cost."""

    arrays: dict[str, np.ndarray]
    label: str
    note: str
    fit_seconds: float
    ms_per_query: float = 0.0
    megabytes: float = 0.0


def write(question: Question, name: str, answer: Answer) -> None:
    """NAME.npz, then NAME.json, without which nothing is an answer."""
    np.savez(question.folder / f"{name}.npz", **answer.arrays)
    facts = {"checksum": question.facts["checksum"], **answer._replace(note=f"{answer.note}; costs in processor time")._asdict()}
    del facts["arrays"]
    (question.folder / f"{name}.json").write_text(json.dumps(facts, indent=1) + "\n", "utf-8")


def milliseconds(ask: Callable[[int], object], users: np.ndarray) -> float:
    """Median time of one query [ms], asked one by one through the library's own door."""
    took = []
    for user in users[np.linspace(0, len(users) - 1, TIMED).astype(int)].tolist():
        started = time.process_time()
        ask(user)
        took.append(1e3 * (time.process_time() - started))
    return round(float(np.median(took)), 3)


# RecTools


def rectools_ease(question: Question, options: argparse.Namespace) -> Answer:
    """Lambda 1000, as our own. Release 0.19.0 ranks by X W' where Steck has X W, so its lists are not quite those of the paper's EASE."""
    from rectools.dataset import Dataset
    from rectools.models import EASEModel

    started = time.process_time()
    dataset = Dataset.construct(question.frame())
    model = EASEModel(regularization=1000.0, recommend_n_threads=options.threads).fit(dataset)
    seconds = time.process_time() - started
    cost = _asked_one_by_one(question, model, dataset)
    note = f"RecTools {version('rectools')}, lambda 1000, weights transposed in its ranker"
    return Answer(_lists(question, model, dataset), "EASE of RecTools", note, round(seconds, 1), cost, model.weight.nbytes / 1e6)


def _lists(question: Question, model, dataset) -> dict[str, np.ndarray]:
    """shown and scores (B, K) of everybody who is asked."""
    users, k = question.arrays["users"], question.facts["k"]
    found = model.recommend(users=users, dataset=dataset, k=k, filter_viewed=True).sort_values(["user_id", "rank"])
    if not np.array_equal(found["user_id"], np.repeat(users, k)):
        raise ValueError(f"{question.folder}: {type(model).__name__} gave {len(found)} films, wanted {k} for each of {len(users)} users")
    shape = (len(users), k)
    return {"shown": found["item_id"].to_numpy(np.int32).reshape(shape), "scores": found["score"].to_numpy(np.float32).reshape(shape)}


def _asked_one_by_one(question: Question, model, dataset=None) -> float:
    """Without a data set each query is one of its own, of one viewer: what the library makes of a new request."""
    from rectools.dataset import Dataset

    rows = dict(list(question.frame().groupby("user_id")))
    ask = lambda user: model.recommend([user], dataset or Dataset.construct(rows[user]), question.facts["k"], filter_viewed=True)
    return milliseconds(ask, question.arrays["users"])


def last_films(interactions: pd.DataFrame, users: list[int]) -> np.ndarray:
    """(N,) bool, the last row of each of `users`: what RecTools holds out of training to choose the epoch."""
    last = ~interactions["user_id"].duplicated(keep="last")
    return (last & interactions["user_id"].isin(users)).to_numpy()


def quiet_trainer(epochs: int, precision: str):
    """A Lightning trainer that writes nothing by itself."""
    from pytorch_lightning import Trainer

    quiet = {"logger": False, "enable_progress_bar": False, "enable_model_summary": False, "enable_checkpointing": False}
    return Trainer(max_epochs=epochs, accelerator="cpu", devices=1, precision=precision, **quiet)


def rectools_sasrec(question: Question, options: argparse.Namespace) -> Answer:
    """Full softmax; trained until validation loss has not fallen for `patience` epochs or the minutes are used; goes on from its checkpoint."""
    import torch
    from pytorch_lightning import seed_everything
    from rectools.dataset import Dataset
    from rectools.models import SASRecModel

    torch.set_num_threads(options.threads)
    seed_everything(SEED, verbose=False)
    last, best, log = (question.folder / f"rectools_sasrec.{end}" for end in ("last.ckpt", "best.ckpt", "log"))
    started = time.process_time()
    dataset = Dataset.construct(question.frame())
    users = np.random.default_rng(SEED).permutation(question.arrays["users"])[: VALIDATED // 2].tolist()
    losses: list[float] = []
    before = 0.0
    if last.exists() and best.exists() and log.exists():
        losses, before = (state := json.loads(log.read_text("utf-8")))["losses"], state["seconds"]
        model = SASRecModel.load_from_checkpoint(last)
    else:
        model = SASRecModel(
            n_blocks=2,
            n_heads=1,
            n_factors=128,
            dropout_rate=0.2,
            session_max_len=200,
            loss="softmax",
            lr=1e-3,
            batch_size=options.sasrec_batch,
            epochs=1,
            get_val_mask_func=last_films,
            get_val_mask_func_kwargs={"users": users},
            get_trainer_func=quiet_trainer,
            get_trainer_func_kwargs={"epochs": 1, "precision": options.sasrec_precision},
        )
    spent, clock = lambda: before + time.process_time() - started, time.monotonic()
    stale = lambda: len(losses) - 1 - int(np.argmin(losses)) if losses else 0
    while len(losses) < options.sasrec_epochs and time.monotonic() - clock < 60 * options.sasrec_minutes and stale() < options.sasrec_patience:
        model.fit_partial(dataset, min_epochs=1, max_epochs=1)
        losses.append(float(model.fit_trainer.callback_metrics["val_loss"]))
        model.fit_trainer.save_checkpoint(last)
        if stale() == 0:
            model.fit_trainer.save_checkpoint(best)
        log.write_text(json.dumps({"losses": losses, "seconds": spent()}), "utf-8")
        print(f"  epoch {len(losses)}: validation loss {losses[-1]:.4f}, {spent():.0f} s", flush=True)
    seconds, chosen = spent(), int(np.argmin(losses)) + 1
    model = SASRecModel.load_from_checkpoint(best)
    ended = "stopped by itself" if stale() >= options.sasrec_patience else "stopped by its time or epochs, not converged"
    shape = f"2 blocks of 128, length 200, full softmax, batch {options.sasrec_batch}"
    note = f"RecTools {version('rectools')}, {shape}, epoch {chosen} of {len(losses)} ({ended})"
    size = sum(p.numel() for p in model.torch_model.parameters()) * 4e-6
    return Answer(_lists(question, model, dataset), "SASRec of RecTools", note, round(seconds, 1), _asked_one_by_one(question, model), size)


# implicit


def implicit_als(question: Question, options: argparse.Namespace) -> Answer:
    """Penalty, weight of a seen film and number of factors, chosen one after the other by NDCG@10 of held-out training rows."""
    from implicit.cpu.als import AlternatingLeastSquares

    make = partial(AlternatingLeastSquares, iterations=15, random_state=SEED, num_threads=options.threads)
    kept, held = _held_out(question)
    known = question.matrix(kept)
    tried: dict[tuple, float] = {}

    def judge(factors: int, alpha: float, penalty: float) -> float:
        if (factors, alpha, penalty) not in tried:
            model = make(factors=factors, alpha=alpha, regularization=penalty)
            model.fit(known, show_progress=False)
            tried[factors, alpha, penalty] = _ndcg(_als_lists(question, model, known, np.array(list(held)), 10)[0], held)
            print(f"  {factors} factors, alpha {alpha}, penalty {penalty}: NDCG@10 {tried[factors, alpha, penalty]:.4f}", flush=True)
        return tried[factors, alpha, penalty]

    penalty = max((0.1, 10.0, 30.0, 100.0), key=lambda p: judge(128, 5.0, p))
    alpha = max((2.0, 5.0, 10.0, 20.0), key=lambda a: judge(128, a, penalty))
    factors = max((64, 128, 256), key=lambda n: judge(n, alpha, penalty))
    started = time.process_time()
    everything = question.matrix()
    model = make(factors=factors, alpha=alpha, regularization=penalty)
    model.fit(everything, show_progress=False)
    seconds = time.process_time() - started
    users = question.arrays["users"]
    shown, scores = _als_lists(question, model, everything, users, question.facts["k"])
    one = lambda user: model.recommend(user, everything[user], N=question.facts["k"], recalculate_user=True)
    note = f"implicit {version('pm-implicit')} (pm-implicit), {factors} factors, alpha {alpha:g}, penalty {penalty:g}: best of {len(tried)} settings"
    size = (model.item_factors.nbytes + model.user_factors.nbytes) / 1e6
    arrays = {"shown": shown.astype(np.int32), "scores": scores}
    return Answer(arrays, "ALS of implicit", note, round(seconds, 1), milliseconds(one, users), size)


def _held_out(question: Question) -> tuple[np.ndarray, dict[int, np.ndarray]]:
    """Which training rows (N,) are kept, and user -> films held out: the last film where the last is asked for, else a random tenth."""
    users, items = question.arrays["train_users"], question.arrays["train_items"]
    rng = np.random.default_rng(SEED)
    held = np.append(users[1:] != users[:-1], True) if question.protocol == "P1" else rng.random(len(users)) < 0.1
    chosen = np.sort(rng.permutation(np.unique(users[held]))[:VALIDATED])
    held &= np.isin(users, chosen)
    of = np.split(items[held], np.flatnonzero(np.diff(users[held])) + 1)
    return ~held, dict(zip(chosen.tolist(), of))


def _als_lists(question: Question, model, known: sparse.csr_matrix, users: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    outside = np.flatnonzero(~question.arrays["candidates"])
    return model.recommend(users, known[users], N=k, filter_already_liked_items=True, filter_items=outside if len(outside) else None)


def _ndcg(shown: np.ndarray, held: dict[int, np.ndarray]) -> float:
    discount = 1 / np.log2(np.arange(2, shown.shape[1] + 2))
    values = [np.isin(row, right) @ discount / discount[: len(right)].sum() for row, right in zip(shown, held.values())]
    return float(np.mean(values))


# Surprise


def surprise_svd(question: Question, options: argparse.Namespace) -> Answer:
    """The library's defaults or a larger, longer model with more penalty: by RMSE on a random twentieth of the training rows."""
    a, rng = question.arrays, np.random.default_rng(SEED)
    rows = np.stack([a["train_users"], a["train_items"], a["train_stars"]], axis=1)
    held = rng.random(len(rows)) < 0.05
    tried: dict[tuple, float] = {}
    for setting in ((100, 20, 0.02), (200, 60, 0.05), (200, 60, 0.07)):
        errors = _svd(question, rows[~held], *setting)(a["train_users"][held], a["train_items"][held]) - a["train_stars"][held]
        tried[setting] = float(np.sqrt(np.mean(errors**2)))
        print(f"  {setting[0]} factors, {setting[1]} epochs, penalty {setting[2]}: RMSE {tried[setting]:.4f}", flush=True)
    factors, epochs, penalty = min(tried, key=tried.__getitem__)
    started = time.process_time()
    predict = _svd(question, rows, factors, epochs, penalty)
    seconds = time.process_time() - started
    note = f"Surprise {version('scikit-surprise')}, {factors} factors, {epochs} epochs, penalty {penalty:g}: best of {len(tried)} settings"
    size = 8e-6 * (factors + 1) * (len(np.unique(a["train_users"])) + len(np.unique(a["train_items"])))
    return Answer({"predicted": predict(a["test_users"], a["test_items"])}, "SVD of Surprise", note, round(seconds, 1), 0.0, size)


def _svd(question: Question, rows: np.ndarray, factors: int, epochs: int, penalty: float) -> Callable[[np.ndarray, np.ndarray], np.ndarray]:
    """The fitted model as a function from users (N,) and films (N,) to stars (N,)."""
    from surprise import SVD, Dataset, Reader

    frame = pd.DataFrame(rows, columns=["user", "film", "stars"]).astype({"user": int, "film": int})
    reader = Reader(rating_scale=(question.facts["lowest"], question.facts["highest"]))
    model = SVD(n_factors=factors, n_epochs=epochs, reg_all=penalty, random_state=SEED)
    model.fit(Dataset.load_from_df(frame, reader).build_full_trainset())
    return lambda users, films: np.array([model.predict(user, film).est for user, film in zip(users.tolist(), films.tolist())])


PEERS: dict[str, tuple[tuple[str, ...], Callable[[Question, argparse.Namespace], Answer]]] = {
    "rectools_ease": (("P1", "P2"), rectools_ease),
    "implicit_als": (("P1", "P2"), implicit_als),
    "surprise_svd": (("P3",), surprise_svd),
    "rectools_sasrec": (("P1",), rectools_sasrec),
}


def asked(options: argparse.Namespace) -> Iterator[tuple[Question, str]]:
    """Every question with every peer that is wanted and has not answered it, the slowest peer last."""
    for name in options.only:
        for path in sorted(options.folder.glob("*/question.json")):
            protocol = json.loads(path.read_text("utf-8"))["protocol"]
            answered = (path.parent / f"{name}.json").exists() and not options.again
            if protocol in PEERS[name][0] and protocol in options.protocols and not answered:
                yield Question.read(path.parent), name


def main() -> None:
    """Answer what is not answered yet."""
    parser = argparse.ArgumentParser(description="Answers of RecTools, implicit and Surprise to exported questions.")
    parser.add_argument("folder", type=Path, help="folder of the questions")
    parser.add_argument("--only", nargs="+", choices=PEERS, default=list(PEERS), metavar="NAME", help=f"of {', '.join(PEERS)}")
    parser.add_argument("--protocols", nargs="+", default=["P1", "P2", "P3"], metavar="P")
    parser.add_argument("--again", action="store_true", help="answer once more; SASRec goes on where it stopped")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--sasrec-minutes", type=float, default=25, help="training time of this run; what was reached is kept")
    parser.add_argument("--sasrec-epochs", type=int, default=100)
    parser.add_argument("--sasrec-patience", type=int, default=8, help="epochs without a lower validation loss")
    parser.add_argument("--sasrec-batch", type=int, default=128)
    parser.add_argument("--sasrec-precision", default="bf16-mixed", help="of Lightning: bf16-mixed is quick where the processor has it, else 32-true")
    options = parser.parse_args()
    warnings.filterwarnings("ignore")
    logging.getLogger("pytorch_lightning").setLevel(logging.ERROR)
    for question, name in asked(options):
        print(f"{question.folder.name} · {name}", flush=True)
        if question.protocol != "P3":
            question.check()
        answer = PEERS[name][1](question, options)
        write(question, name, answer)
        print(f"  {answer.note}; fitted in {answer.fit_seconds:.1f} s, {answer.ms_per_query:.2f} ms a query", flush=True)


if __name__ == "__main__":
    main()
