"""The stars of given people for given films, with their uncertainty: Bayesian factorisation with an ordered-probit likelihood."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
from safetensors import safe_open
from safetensors.numpy import save_file
from scipy import sparse
from scipy.sparse.linalg import svds
from scipy.special import ndtr, ndtri
from scipy.stats import wishart
from tqdm import tqdm

from recommender.catalog import Catalog
from recommender.interactions import Interactions
from recommender.models.occasions import Occasions

FAR = 1e9  # stands for infinity among the cut points


@dataclass
class Biases:
    """stars(u, i) = mean + b_u + b_i, both damped by prior counts: the floor of every rating prediction.

    Alternating means. Source: Koren, "Factor in the Neighbors", TKDD 4(1), 2010, section 2.1.
    """

    user_damping: float = 5.0  # ratings
    item_damping: float = 3.0
    rounds: int = 8

    def fit(self, interactions: Interactions, catalog: Catalog | None, checkpoint: Path | None = None) -> Self:
        self.mean_, self.range_ = float(interactions.ratings.mean()), (interactions.ratings.min(), interactions.ratings.max())
        stars = interactions.ratings - self.mean_
        damped = lambda ids, n, values, damping: np.bincount(ids, values, minlength=n) / (np.bincount(ids, minlength=n) + damping)
        self.user_, self.item_ = np.zeros(interactions.n_users), np.zeros(interactions.n_items)
        for _ in range(self.rounds):
            self.item_ = damped(interactions.items, interactions.n_items, stars - self.user_[interactions.users], self.item_damping)
            self.user_ = damped(interactions.users, interactions.n_users, stars - self.item_[interactions.items], self.user_damping)
        return self

    def predict(self, asked: Interactions) -> np.ndarray:  # (N,)
        """Stars for each row; asked.ratings is not read."""
        return np.clip(self.mean_ + self.user_[asked.users] + self.item_[asked.items], *self.range_)


def spectrum(rows: np.ndarray, columns: np.ndarray, shape: tuple[int, int]) -> np.ndarray:  # (shape[0], K) float32
    """B with B B' = X X', where X has a row for each entity: what it was paired with, scaled to length one. K = min(shape) at most."""
    pairs = sparse.csr_array((np.ones(len(rows), np.float32), (rows, columns)), shape=shape)
    scale = np.maximum(np.bincount(rows, minlength=shape[0]), 1) ** -0.5
    x = np.asarray((sparse.diags_array(scale.astype(np.float32)) @ pairs).todense())
    if shape[0] <= shape[1]:
        size, left = np.linalg.eigh(x @ x.T)
        basis = left * np.sqrt(np.maximum(size, 0))
    else:
        size, right = np.linalg.eigh(x.T @ x)
        basis = x @ right
    return np.ascontiguousarray(basis[:, size > 1e-6 * size.max()], np.float32)


class _Vectors:
    """A vector for each of n entities, (n, F + 1), its last column the entity's bias.

    x_e ~ N(B_e z, L^-1), z_k ~ N(0, (link L)^-1): Macau's prior (Simm et al., arXiv 1509.04610), in the basis where B'B is diagonal.
    """

    def __init__(self, ids: np.ndarray, partners: np.ndarray, basis: np.ndarray, width: int) -> None:
        self.order = np.argsort(ids, kind="stable")
        self.partners = partners[self.order]  # the other side of each row, rows sorted by entity
        self.bounds = np.searchsorted(ids[self.order], np.arange(len(basis) + 1))
        self.basis, self.sizes = basis, (basis.astype(np.float64) ** 2).sum(axis=0)
        self.x = np.zeros((len(basis), width), np.float32)
        self.prior = np.zeros_like(self.x)
        self.z = np.zeros((basis.shape[1], width))
        self.precision, self.link = np.eye(width) * 12.0, 1.0
        self.precision[-1, -1] = 4.0

    def draw_prior(self, rng: np.random.Generator) -> None:
        """Precision, link and prior means, given the vectors."""
        width = self.x.shape[1]
        off = (self.x - self.prior).astype(np.float64)
        scatter = 0.1 * np.eye(width) + off.T @ off + self.link * self.z.T @ self.z
        self.precision = wishart.rvs(width + len(off) + len(self.z), np.linalg.inv(scatter), random_state=rng)
        spread = np.linalg.cholesky(np.linalg.inv(self.precision))
        total = self.sizes + self.link
        noise = rng.standard_normal(self.z.shape) @ spread.T / np.sqrt(total)[:, None]
        self.z = (self.basis.T @ self.x) / total[:, None] + noise
        self.link = rng.gamma(1 + self.z.size / 2) / (1 + np.einsum("kf,fg,kg->", self.z, self.precision, self.z) / 2)
        self.prior = self.basis @ self.z.astype(np.float32)

    def draw(self, other: np.ndarray, target: np.ndarray, weight: np.ndarray, heat: float, rng: np.random.Generator) -> None:
        """Vectors given the other side's (m, F + 1), and for each rating what they must explain and its precision; heat 0 takes the mean."""
        n, width = self.x.shape
        terms = np.empty((len(target), width + 1), np.float32)
        terms[:, :width] = other[self.partners]
        terms[:, width] = target[self.order] - terms[:, width - 1]
        terms[:, width - 1] = 1
        terms *= np.sqrt(weight[self.order]).astype(np.float32)[:, None]
        sums = np.zeros((n, width + 1, width + 1), np.float32)
        for e in range(n):
            mine = terms[self.bounds[e] : self.bounds[e + 1]]
            np.matmul(mine.T, mine, out=sums[e])
        a = sums[:, :width, :width] + self.precision.astype(np.float32)
        b = sums[:, :width, width] + self.prior @ self.precision.astype(np.float32)
        noise = rng.standard_normal((n, width, 1), np.float32)
        self.x = np.linalg.solve(a, b[:, :, None] + heat * np.linalg.cholesky(a) @ noise)[:, :, 0]  # A^-1 (b + C noise) ~ N(A^-1 b, A^-1)


class _Chain:
    """The state of the sampler for ratings y (N,) in levels 0..K-1: a latent z ~ N(f, 1 / noise_u), cut into levels.

    f = p_u . q_i + b_u + b_i + the effects of the rating's occasions. Gibbs, all blocks conjugate except the cut points.
    Sources: Salakhutdinov & Mnih, ICML 2008 (vectors); Albert & Chib, JASA 88, 1993 (probit).
    """

    def __init__(self, model: Bayes, known: Interactions, levels: np.ndarray, occasions: Occasions) -> None:
        self.model, self.u, self.i = model, known.users.astype(np.int64), known.items.astype(np.int64)
        self.y = np.searchsorted(levels, known.ratings)
        self.labels = occasions.labels
        self.rng = np.random.default_rng(model.seed)
        shape = known.n_users, known.n_items
        width = model.factors + 1
        self.users = _Vectors(self.u, self.i, spectrum(self.u, self.i, shape), width)
        self.items = _Vectors(self.i, self.u, spectrum(self.i, self.u, shape[::-1]), width)
        self.noise = np.ones(shape[0])
        self.effects = [np.zeros(n) for n in occasions.sizes]
        self.counted = [np.bincount(label, minlength=n) > 0 for label, n in zip(self.labels, occasions.sizes)]
        self.tightness = np.full(len(self.effects), 50.0)  # precision of the effects of each kind
        self.moments = [np.zeros((2, n)) for n in occasions.sizes]  # sums of effects and of their squares over kept sweeps
        self.kept: dict[str, list[np.ndarray]] = {name: [] for name in ("users", "items", "cuts", "noise", "tightness")}
        self.shifts = np.zeros(len(self.y))  # the effects that each rating shares, summed
        self.sweep = 0
        share = np.cumsum(np.bincount(self.y, minlength=len(levels)))[:-1] / len(self.y)
        self.cuts = ndtri(share) * 1.25
        self._start(known)

    def _start(self, known: Interactions) -> None:
        """Damped means and the leading singular vectors of what they leave, so that the chain need not find them."""
        floor = Biases().fit(known, None)
        rest = known.ratings - floor.mean_ - floor.user_[self.u] - floor.item_[self.i]
        rest /= np.sqrt((known.raters[self.i] + 10) * (known.lengths[self.u] + 10))
        k = min(self.model.factors, known.n_users - 1, known.n_items - 1)
        _, size, right = svds(sparse.csr_array((rest, (self.u, self.i)), shape=(known.n_users, known.n_items)), k=k, rng=self.rng)
        vectors = right.T * np.sqrt(size / (known.raters[:, None] + 10))
        self.items.x[:, :k] = vectors * 0.25 / np.sqrt(np.mean(vectors[self.i] ** 2))
        self.users.x[:, -1], self.items.x[:, -1] = 1.2 * floor.user_, 1.2 * floor.item_

    def _vectors(self) -> np.ndarray:  # (N,)
        """The part of f that vectors and biases explain."""
        p, q = self.users.x[self.u], self.items.x[self.i]
        return np.einsum("nf,nf->n", p[:, :-1], q[:, :-1]).astype(np.float64) + p[:, -1] + q[:, -1]

    def step(self) -> None:
        """One sweep over all blocks."""
        warm = self.sweep < self.model.warm
        vectors = self._vectors()
        f, root = vectors + self.shifts, np.sqrt(self.noise)[self.u]
        self._draw_cuts(f, root)
        error = self._latent(f, root) - f
        self._draw_noise(error)
        weight, latent = self.noise[self.u], error + f
        for k in range(len(self.effects)):
            self._draw_effect(k, error, weight)
        target = error + vectors
        self.shifts = latent - target
        for mine, other in ((self.users, self.items), (self.items, self.users)):
            if not warm:
                mine.draw_prior(self.rng)
            mine.draw(other.x, target.astype(np.float32), weight, 0.0 if warm else 1.0, self.rng)
        self.sweep += 1

    def _edges(self, f: np.ndarray, root: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Standardised lower and upper cut of each rating (N,)."""
        cuts = np.concatenate([[-FAR], self.cuts, [FAR]])
        return (cuts[self.y] - f) * root, (cuts[self.y + 1] - f) * root

    def _draw_cuts(self, f: np.ndarray, root: np.ndarray) -> None:
        """Cut points given f, the latent integrated out: a normal draw around one Newton step (with this many ratings, their posterior)."""
        low, high = self._edges(f, root)
        mass = np.maximum(ndtr(high) - ndtr(low), 1e-12)
        slope = lambda edge: np.exp(-0.5 * edge**2) / np.sqrt(2 * np.pi) * root / mass
        above, below, k = slope(high), -slope(low), len(self.cuts)
        total = lambda values: np.bincount(self.y, values, minlength=k + 1)
        off = np.diag(total(above * below)[1:-1], 1) if k > 1 else np.zeros((k, k))
        information = np.diag(total(above**2)[:-1] + total(below**2)[1:] + 1) + off + off.T
        newton = np.linalg.solve(information, total(above)[:-1] + total(below)[1:])
        drawn = self.cuts + np.clip(newton, -0.1, 0.1) + np.linalg.solve(np.linalg.cholesky(information).T, self.rng.standard_normal(k))
        if (np.diff(drawn) > 0).all():
            self.cuts = drawn

    def _latent(self, f: np.ndarray, root: np.ndarray) -> np.ndarray:  # (N,)
        low, high = (ndtr(edge) for edge in self._edges(f, root))
        return f + ndtri(np.clip(low + (high - low) * self.rng.random(len(f)), 1e-13, 1 - 1e-13)) / root

    def _draw_noise(self, error: np.ndarray) -> None:
        """How consistent each user is: a precision with prior Gamma(dof / 2, dof / 2)."""
        dof = self.model.noise_dof
        if dof:
            n = len(self.noise)
            self.noise = self.rng.gamma((dof + np.bincount(self.u, minlength=n)) / 2) / ((dof + np.bincount(self.u, error**2, minlength=n)) / 2)

    def _draw_effect(self, k: int, error: np.ndarray, weight: np.ndarray) -> None:
        """Effects of one kind of occasion, and their precision; `error` (N,) is brought up to date."""
        label, n = self.labels[k], len(self.effects[k])
        error += self.effects[k][label]
        total = self.tightness[k] + np.bincount(label, weight, minlength=n)
        effect = np.bincount(label, weight * error, minlength=n) / total + self.rng.standard_normal(n) / np.sqrt(total)
        self.effects[k] = np.where(self.counted[k], effect, 0)
        self.tightness[k] = self.rng.gamma(1 + self.counted[k].sum() / 2) / (0.02 + (self.effects[k] ** 2).sum() / 2)
        error -= self.effects[k][label]

    def keep(self) -> None:
        """Remember this sweep for predictions."""
        for name in ("users", "items"):
            self.kept[name].append(getattr(self, name).x.astype(np.float16))
        for name in ("cuts", "noise", "tightness"):
            self.kept[name].append(np.array(getattr(self, name)))
        for moment, effect in zip(self.moments, self.effects):
            moment += np.stack([effect, effect**2])

    def _parts(self) -> Iterator[tuple[str, object, str]]:
        """(name in a checkpoint, its holder, the attribute) of all arrays that the next sweep depends on."""
        for side in ("users", "items"):
            yield from ((f"{side}.{a}", getattr(self, side), a) for a in ("x", "z", "prior", "precision", "link"))
        yield from ((a, self, a) for a in ("cuts", "noise", "tightness", "shifts"))

    def save(self, path: Path) -> None:
        """Write the chain (safetensors) in one piece, so that an interrupted fit goes on from here to the very same end."""
        tensors = {name: np.ascontiguousarray(getattr(holder, a)) for name, holder, a in self._parts()}
        tensors |= {f"effects.{k}": e for k, e in enumerate(self.effects)} | {f"moments.{k}": m for k, m in enumerate(self.moments)}
        tensors |= {f"kept.{name}": np.stack(values) for name, values in self.kept.items() if values}
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(".part")
        save_file(tensors, part, metadata={"sweep": str(self.sweep), "random": json.dumps(self.rng.bit_generator.state)})
        part.replace(path)

    def load(self, path: Path) -> None:
        """Take up a saved chain."""
        with safe_open(path, framework="numpy") as f:
            tensors, metadata = {k: f.get_tensor(k) for k in f.keys()}, f.metadata()  # noqa: SIM118 (not a dict)
        for name, holder, a in self._parts():
            value = tensors[name]
            setattr(holder, a, value if value.ndim else float(value))
        self.effects = [tensors[f"effects.{k}"] for k in range(len(self.effects))]
        self.moments = [tensors[f"moments.{k}"] for k in range(len(self.moments))]
        self.kept = {name: list(tensors.get(f"kept.{name}", ())) for name in self.kept}
        self.sweep = int(metadata["sweep"])
        self.rng.bit_generator.state = json.loads(metadata["random"])


@dataclass
class Bayes:
    """Bayesian factorisation of ratings as ordered levels: predictions are means over the sweeps of a Gibbs sampler.

    Who rated what informs the priors of both sides (Macau), as implicit feedback does in SVD++; neighbours in time share effects (`Occasions`);
    each viewer has a noise of their own. Transductive: answers only for users and items numbered at fit.
    """

    factors: int = 16
    sweeps: int = 240
    burn: int = 25  # first sweeps, not kept
    warm: int = 6  # first sweeps that take means in place of draws
    noise_dof: float = 8.0  # prior ratings behind a viewer's noise; 0: one noise for all
    save_every: int = 20  # sweeps
    seed: int = 0

    def fit(self, interactions: Interactions, catalog: Catalog | None, checkpoint: Path | None = None) -> Self:
        self.levels_ = np.unique(interactions.ratings)
        self.occasions_ = Occasions(interactions)
        chain = _Chain(self, interactions, self.levels_, self.occasions_)
        if checkpoint and checkpoint.exists():
            chain.load(checkpoint)
        for sweep in tqdm(range(chain.sweep, self.sweeps), desc="bayes", initial=chain.sweep, total=self.sweeps, disable=None):
            chain.step()
            if sweep >= self.burn:
                chain.keep()
            if checkpoint and (sweep + 1) % self.save_every == 0:
                chain.save(checkpoint)
        if checkpoint:
            checkpoint.unlink(missing_ok=True)
        kept = self.sweeps - self.burn
        self.samples_ = {name: np.stack(values) for name, values in chain.kept.items()}
        means = [m[0] / kept for m in chain.moments]
        self.effects_ = [(m, np.where(seen, s[1] / kept - m**2, np.nan)) for m, s, seen in zip(means, chain.moments, chain.counted)]
        return self

    def _shift(self, asked: Interactions) -> tuple[np.ndarray, np.ndarray]:
        """Mean and variance (N,) that the occasions add to the latent; an unknown group has the spread of its kind."""
        mean, variance = np.zeros(len(asked)), np.zeros(len(asked))
        for label, (effect, spread), tightness in zip(self.occasions_.of(asked), self.effects_, self.samples_["tightness"].T):
            mean += np.where(label >= 0, effect[label], 0)
            variance += np.nan_to_num(np.where(label >= 0, spread[label], np.nan), nan=np.mean(1 / tightness))
        return mean, variance

    def chances(self, asked: Interactions) -> np.ndarray:  # (N, K)
        """The chance of each of `levels_` for each row; asked.ratings is not read."""
        shift, variance = self._shift(asked)
        below = np.zeros((len(self.levels_) - 1, len(asked)))
        for users, items, cuts, noise in zip(*(self.samples_[name] for name in ("users", "items", "cuts", "noise"))):
            p, q = users[asked.users].astype(np.float32), items[asked.items].astype(np.float32)
            f = shift + np.einsum("nf,nf->n", p[:, :-1], q[:, :-1]) + p[:, -1] + q[:, -1]
            below += ndtr((cuts[:, None] - f) / np.sqrt(variance + 1 / noise[asked.users]))
        below /= len(self.samples_["cuts"])
        return np.diff(below, axis=0, prepend=0, append=1).T

    def predict(self, asked: Interactions) -> np.ndarray:  # (N,)
        """Expected stars for each row."""
        return self.chances(asked) @ self.levels_
