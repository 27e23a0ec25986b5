"""The front desk, open while releases come and go."""

from __future__ import annotations

from recommender.serve.service import Service
from recommender.settings import Settings


class Desk:
    """The service of the current release. A new release is opened beside it and takes its place between two requests.

    A release that does not open leaves the one before at work, and is told in `problem`.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.problem: str | None = None
        self._service: Service | None = None

    @property
    def ready(self) -> bool:
        """Whether models are loaded."""
        return self._service is not None and bool(self._service.models)

    @property
    def service(self) -> Service:
        """What answers now; opened at the first call, LookupError where it could not be."""
        if self._service is None:
            self.open()
        assert self._service is not None
        return self._service

    def open(self) -> None:
        """Open and warm the current release."""
        service = Service.open(self.settings)
        service.warm()
        self._service = service
