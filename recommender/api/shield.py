"""The headers of the dashboard's pages: what they may load, who may frame them, what they tell others."""

from __future__ import annotations

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from recommender.policy import FRAMES, policy


class Shield:
    """Puts the headers on every answer of the application that it stands before; one that is there already is left alone."""

    def __init__(self, app: ASGIApp, page: str) -> None:
        """page: the HTML that the application hands out, whose own scripts may run."""
        self.app = app
        self.headers = {
            "Content-Security-Policy": f"{policy(page)}; {FRAMES}",
            "X-Content-Type-Options": "nosniff",
            "Referrer-Policy": "same-origin",
            "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
            "Cross-Origin-Opener-Policy": "same-origin",
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self.headers.items():
                    headers.setdefault(name, value)
            await send(message)

        await self.app(scope, receive, sending if scope["type"] == "http" else send)
