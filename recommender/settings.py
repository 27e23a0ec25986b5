"""Every setting, in one place: from the environment (MARQUEE_…), Streamlit secrets or files of that name, with defaults that work."""

from functools import cache
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import AliasChoices, Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

ROOT = Path(__file__).resolve().parents[1]
STATIC = ROOT / "static"  # what Streamlit serves as it is, under app/static/
SECRETS = Path("/etc/marquee"), Path("/run/secrets")  # what an image brings, and before it what a container is given: one file a setting


class Settings(BaseSettings):
    """Paths, routing thresholds and the shape of the Home page."""

    model_config = SettingsConfigDict(
        env_prefix="MARQUEE_", extra="ignore", populate_by_name=True, secrets_dir=[place for place in SECRETS if place.is_dir()] or None
    )

    artifacts: Path = Field(ROOT / "artifacts", description="fitted models, reports and experiments")
    films: Path = Field(ROOT / "data" / "films.csv", description="the catalogue; monochrome.csv is looked for beside it")
    viewers: Path = Field(ROOT / "data" / "viewers.json", description="the viewers who are there already")
    checkpoints: Path = Field(ROOT / "data" / "prepared" / "checkpoints", description="unfinished training; never committed")
    evaluations: Path = Field(ROOT / "data" / "prepared" / "evaluate", description="models and lists of evaluations under way; never committed")
    raw: Path = Field(ROOT / "data" / "raw", description="fetched data sets, one folder each; never committed")
    dataset: str = Field("ml-1m", description="the edition of MovieLens in use there: for its people as viewers, fetching on the page, the refresh")
    publisher: str = Field("https://files.grouplens.org/datasets/movielens", description="where data sets are fetched from; HTTPS, or this machine")
    database_url: str = Field(
        f"sqlite:///{(ROOT / 'data' / 'feedback.sqlite').as_posix()}",
        validation_alias=AliasChoices("MARQUEE_DATABASE_URL", "DATABASE_URL"),
        description="where what viewers do is stored: sqlite:///FILE or postgresql://USER:PASSWORD@HOST/NAME",
    )

    releases: Path = Field(ROOT / "data" / "releases", description="models of the nightly refresh, a folder each, and `current`; never committed")
    look_seconds: float = Field(2.0, gt=0, description="so often a served process looks whether another release is current")
    releases_kept: int = Field(5, ge=2, description="so many releases stay; the one at work and the one before it always do")
    release_margin: float = Field(0.005, ge=0, description="a refreshed model may be worse by so much NDCG@10, at the end of its 95% interval")
    backups: Path = Field(ROOT / "data" / "backups", description="of the feedback database; never committed")

    api_keys: Annotated[tuple[SecretStr, ...], NoDecode] = Field((), description="keys of the REST API, by commas; without any, loopback only")
    api_origins: Annotated[tuple[str, ...], NoDecode] = Field((), description="web pages that may call the REST API, by commas: https://example.org")
    api_rate: str = Field("600/minute", description="requests of one key, or of one address where there are no keys; none where empty")
    api_rate_store: str = Field("memory://", description="where requests are counted: memory:// or redis://HOST:PORT for several replicas")
    api_bytes: int = Field(65_536, ge=1, description="a request to the REST API may have so many bytes")

    experiment: str = Field("", description="the planned experiment on people that runs in the app, by name; none where empty")
    disk_passes: bool = Field(False, description="files do not outlive a restart here, as on Streamlit Community Cloud: the app says so to viewers")
    household: bool = Field(True, description="viewers that people made are listed to whoever opens the app; switch off where strangers share it")

    tmdb_key: SecretStr = Field(
        SecretStr(""),
        validation_alias=AliasChoices("MARQUEE_TMDB_KEY", "TMDB_API_KEY"),
        description="key of The Movie Database, or its read access token; drawn posters alone without one",
    )
    tmdb_api: str = Field("https://api.themoviedb.org/3", description="where it answers; HTTPS, or this machine")
    tmdb_images: str = Field("https://image.tmdb.org/t/p", description="and where its pictures lie")
    tmdb_rate: float = Field(10, gt=0, le=30, description="requests a second of one process; TMDB lets about 40 through")
    posters: Path = Field(STATIC / "posters", description="pictures, served from there; never committed")
    poster_facts: Path = Field(ROOT / "data" / "prepared" / "tmdb", description="what TMDB says of films, one file each; never committed")
    poster_days: int = Field(150, ge=1, le=180, description="so long a picture and its facts are kept; TMDB's terms allow six months")
    poster_bytes: int = Field(300_000_000, ge=1_000_000, description="pictures may take so many bytes on the disk; the oldest go first")

    few_ratings: int = Field(8, ge=0, description="below this many ratings: popularity and chosen genres")
    many_ratings: int = Field(15, ge=1, description="from this many ratings on: collaborative first, diversified")
    diversity: float = Field(0.2, ge=0, le=1, description="share of genre novelty when the list is diversified")
    least_match: float = Field(0.3, ge=0, le=1, description="films with a smaller chance of four stars stay off a personal page")
    least_drop: int = Field(3, ge=1, description="a film is named as a reason only if the recommendation falls by so many ranks without it")
    love_stars: float = Field(5.0, ge=0.5, le=5, description="stars that a love stands for; ratings from there on speak like one")
    love_weight: float = Field(1.5, ge=0, le=5, description="how far a film that is loved speaks for the viewer's taste; by the report of dislikes")
    like_stars: float = Field(4.0, ge=0.5, le=5, description="stars that a like stands for")
    like_weight: float = Field(1.0, ge=0, le=5, description="how far a film that is liked, or rated three stars or more, speaks")
    dislike_stars: float = Field(1.5, ge=0.5, le=5, description="stars that 'not for me' stands for")
    disliked_to: float = Field(2.0, ge=0.5, le=5, description="ratings up to so many stars speak like 'not for me'")
    dislike_weight: float = Field(-0.25, ge=-5, le=0, description="how far 'not for me' speaks, against; by the report of dislikes")
    watched_stars: float = Field(3.5, ge=0.5, le=5, description="stars that 'watched' without a word stands for, about the mean of all ratings")
    watched_weight: float = Field(0.5, ge=0, le=5, description="how far a film that was watched, without a word about it, speaks")
    row_length: int = Field(20, ge=1, le=100, description="films of a row")
    min_raters: int = Field(20, ge=1, description="films with fewer raters get no published statistics or collaborative weights")
    import_bytes: int = Field(50_000_000, ge=1, description="an uploaded film history may have so many bytes, also when unpacked")
    import_lines: int = Field(200_000, ge=1, description="and so many lines a file")

    @field_validator("api_keys", "api_origins", mode="before")
    @classmethod
    def _by_commas(cls, value: Any) -> Any:
        return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value

    @field_validator("tmdb_api", "tmdb_images")
    @classmethod
    def _secure_or_here(cls, value: str) -> str:
        parts = urlsplit(value)
        here = parts.scheme == "http" and parts.hostname in ("127.0.0.1", "localhost", "::1")
        if not parts.hostname or not (parts.scheme == "https" or here) or parts.username or parts.query or parts.fragment:
            raise ValueError("wanted https:// (or http:// of this machine), a host, and no more than a path")
        return value

    @field_validator("posters")
    @classmethod
    def _served(cls, value: Path) -> Path:
        if not value.resolve().is_relative_to(STATIC) or value.resolve() == STATIC:
            raise ValueError("wanted a folder in static/: nothing else is served")
        return value


class WrongSetting(ValueError):
    """A setting is not what it must be: its name, its value and what is wanted."""


@cache
def settings() -> Settings:
    """The settings of this process, read once. A WrongSetting names the first that is wrong."""
    try:
        return Settings()  # type: ignore[call-arg]
    except ValidationError as error:
        wrong = error.errors(include_url=False)[0]
        given = "…" if "@" in str(wrong["input"]) else repr(wrong["input"])  # a password may stand before it
        raise WrongSetting(f"setting MARQUEE_{str(wrong['loc'][0]).upper()} is {given}: {wrong['msg'].removeprefix('Value error, ')}") from None


def as_markdown() -> str:
    """The table of docs/settings.md: every setting by its names in the environment, its default, and what it is."""
    rows = []
    for name, field in Settings.model_fields.items():
        alias = field.validation_alias
        names = [str(choice) for choice in alias.choices] if isinstance(alias, AliasChoices) else [f"MARQUEE_{name.upper()}"]
        rows.append(f"| {' or '.join(f'`{n}`' for n in names)} | {_default(field.default)} | {field.description} |")
    return "\n".join(["| in the environment | default | what it is |", "|---|---|---|", *rows])


def _default(value: Any) -> str:
    text = value.get_secret_value() if isinstance(value, SecretStr) else str(value).lower() if isinstance(value, bool) else str(value or "")
    return f"`{text.replace(f'{ROOT.as_posix()}/', '')}`" if text else "none"
