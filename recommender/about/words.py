"""What is said of each served model in words: what it is, what it may use, what it is for and what not. No figure stands here."""

from __future__ import annotations

from typing import NamedTuple

FILMS, STARS, ORDER, HOUR, DEVICE = "films", "stars", "order", "part of day", "device"
INPUTS = {
    FILMS: "which films somebody rated",
    STARS: "their stars, and how loud each film speaks",
    ORDER: "the order of the films",
    HOUR: "the part of the day, observed",
    DEVICE: "the device, simulated",
}
LIST, FOLLOWS = "Lists for people who rated a few films or more.", (FILMS, STARS)


class About(NamedTuple):
    """What is said of a model in words. exact: whether its reasons sum to its score; else they are leave-one-out."""

    short: str
    family: str
    says: str
    source: str
    inputs: tuple[str, ...]
    exact: bool
    meant: str
    unfit: str
    limits: tuple[str, ...]


ABOUT = {
    "hybrid": About(
        "Hybrid",
        "hybrid",
        "A small gate weighs the Transformer, EASE and content by how much is known of somebody, and adds points for the moment.",
        "gate of our own; parts by their own papers",
        (FILMS, STARS, ORDER, HOUR, DEVICE),
        False,
        "The main rows of whoever rated enough films.",
        "Proof that context helps: what it knows of the device comes from a simulation.",
        (
            "Its reasons are those of its parts and carry a rest that none of them explains.",
            "It leans on the Transformer, and on its habit of guessing what people rate next.",
        ),
    ),
    "sequence": About(
        "Transformer",
        "sequential",
        "Reads the latest films in order and guesses the next one.",
        "Kang & McAuley, SASRec, ICDM 2018; full softmax: Klenitskiy & Vasilev, RecSys 2023",
        (FILMS, STARS, ORDER, HOUR, DEVICE),
        False,
        "What to watch next, for people whose films have an order.",
        "Favourites named at random: without a true order it loses to simpler models.",
        (
            "It learned the order in which people went through a rating page, which is part of its lead.",
            "One training run: how much luck is in its figures is not known.",
        ),
    ),
    "ease": About(
        "EASE",
        "collaborative",
        "Weighs every film by what people who rated the same films rated besides; solved in one step.",
        "Steck, WWW 2019, arXiv 1905.03375",
        FOLLOWS,
        True,
        LIST,
        "Films that few people rated, and people who rated nothing.",
        ("It knows no order and no moment.", "Only the strongest weights of each film are kept, so that it fits into the repository."),
    ),
    "item_knn": About(
        "Item neighbours",
        "collaborative",
        "Recommends films that were watched together with yours.",
        "cosine with shrinkage; Sarwar et al., WWW 2001",
        FOLLOWS,
        True,
        "“Because you watched” rows, where a plain reason counts more than the last bit of accuracy.",
        "Films with few common viewers: pairs below its support are left out.",
        ("Well-known films are neighbours of everything.",),
    ),
    "communities": About(
        "Taste communities",
        "collaborative",
        "Finds the groups of people whose taste is like yours, and counts what they enjoyed.",
        "user neighbours over k-means groups, a form of our own that may be published",
        FOLLOWS,
        True,
        "Lists that say what people of like taste enjoyed, without anybody’s history in the file.",
        "Fine differences within a group: everybody in it counts alike.",
        ("A group has at least as many people as the card says, so rare tastes are blurred.",),
    ),
    "pure_svd": About(
        "PureSVD",
        "collaborative",
        "Places films along the directions in which tastes differ most, and looks near yours.",
        "Cremonesi, Koren & Turrin, RecSys 2010",
        FOLLOWS,
        True,
        LIST,
        "People with a single film, and rarely rated films.",
        ("What a direction means is read into it afterwards.",),
    ),
    "als": About(
        "ALS",
        "collaborative",
        "Learns a place for each film from who watched what, and finds yours by your films.",
        "Hu, Koren & Volinsky, ICDM 2008",
        FOLLOWS,
        True,
        LIST,
        "Stars: it ranks what gets watched, not what pleases.",
        ("What was not watched counts as a little unwanted, also where it was never seen.",),
    ),
    "ratings": About(
        "Predicted stars",
        "collaborative",
        "Predicts how many stars somebody would give a film.",
        "Koren, Bell & Volinsky, IEEE Computer 42(8), 2009",
        FOLLOWS,
        True,
        "The stars and the match on a card.",
        "Lists: films ordered by predicted stars are hardly ever the ones people choose.",
        (
            "It saw only films that people chose to rate, so it is kind to films nobody would choose.",
            "Films under 20 raters get no stars on the page.",
        ),
    ),
    "content": About(
        "Content",
        "content",
        "Recommends films of the same genres, people and plot words as yours, the better known first.",
        "TF-IDF and cosine",
        FOLLOWS,
        True,
        "Films that few or nobody rated, and “more of this director”.",
        "The main list: it knows what a film is made of, not whether people like it.",
        ("Plots are in English and known for most films only.", "Its features come from public facts that have gaps."),
    ),
    "encoder": About(
        "Content encoder",
        "content",
        "Learned to place a film among the films people rated from what it is made of, so unrated films have a place too.",
        "Gantner et al., ICDM 2010",
        FOLLOWS,
        True,
        "Films too rare for the collaborative models.",
        "Films with ratings enough: ALS knows those better.",
        ("Its place of a film is a guess from genres, people and words.",),
    ),
    "popularity": About(
        "Popularity",
        "baseline",
        "What everybody watches: recent, well rated and often rated. The baseline to beat.",
        "weighted sum of our own",
        (),
        True,
        "People of whom nothing is known, and the yardstick of every table.",
        "Anybody whose taste is not everybody’s.",
        ("It shows the same few films to all, which makes them more popular still.",),
    ),
}
