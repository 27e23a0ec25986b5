"""Every setting, in one place: from the environment (MARQUEE_…) or Streamlit secrets, with defaults that work."""

from functools import cache
from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

ROOT = Path(__file__).resolve().parents[1]


class Settings(BaseSettings):
    """Paths, routing thresholds and the shape of the Home page."""

    model_config = SettingsConfigDict(env_prefix="MARQUEE_", extra="ignore")

    artifacts: Path = ROOT / "artifacts"
    films: Path = ROOT / "data" / "films.csv"  # monochrome.csv is looked for beside it
    viewers: Path = ROOT / "data" / "viewers.json"
    checkpoints: Path = ROOT / "data" / "prepared" / "checkpoints"  # of unfinished training; never committed
    evaluations: Path = ROOT / "data" / "prepared" / "evaluate"  # models and lists of evaluations under way; never committed
    raw: Path = ROOT / "data" / "raw"  # fetched data sets, one folder each; never committed
    dataset: str = "ml-1m"

    few_ratings: int = Field(8, ge=0, description="below this many ratings: popularity and chosen genres")
    many_ratings: int = Field(15, ge=1, description="from this many ratings on: collaborative first, diversified")
    diversity: float = Field(0.2, ge=0, le=1, description="share of genre novelty when the list is diversified")
    least_match: float = Field(0.3, ge=0, le=1, description="films with a smaller chance of four stars stay off a personal page")
    least_drop: int = Field(3, ge=1, description="a film is named as a reason only if the recommendation falls by so many ranks without it")
    row_length: int = Field(20, ge=1, le=100)
    min_raters: int = Field(20, ge=1, description="films with fewer raters get no published statistics or collaborative weights")


@cache
def settings() -> Settings:
    return Settings()  # type: ignore[call-arg]
