"""Who may ask: the page itself, in a browser of this machine, and nobody else.

A foreign page can have a browser send requests here, by an address of its own that names this
machine (DNS rebinding) or by a form. The former come with another Host, the latter with another
Origin; neither is answered. What is answered may load nothing from anywhere.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterable

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_INLINE = re.compile(r"<(script|style)>(.*?)</\1>", re.S)


class Guard:
    """Answers requests of ``hosts``, as ``127.0.0.1:8421``, and refuses all others."""

    def __init__(self, app: ASGIApp, hosts: Iterable[str], policy: str) -> None:
        self._app = app
        self._hosts = list(hosts)
        self._origins = {f"http://{host}" for host in self._hosts}
        self._headers = {
            "content-security-policy": policy,
            "cache-control": "no-store",
            "cross-origin-opener-policy": "same-origin",
            "cross-origin-resource-policy": "same-origin",
            "referrer-policy": "no-referrer",
            "x-content-type-options": "nosniff",
            "x-frame-options": "DENY",
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """As every ASGI application."""

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(self._headers)
            await send(message)

        refusal = self._refusal(str(scope["method"]), Headers(scope=scope))
        await (refusal or self._app)(scope, receive, guarded)

    def _refusal(self, method: str, headers: Headers) -> JSONResponse | None:
        if [host.lower() for host in headers.getlist("host")] not in [[h] for h in self._hosts]:
            return _refused(421, f"the page is at http://{self._hosts[0]}, under no other name")
        origins = headers.getlist("origin")
        if method not in ("GET", "HEAD"):
            if len(origins) != 1 or origins[0] not in self._origins:
                return _refused(403, "only the page itself may ask this")
            if headers.get("content-type", "").partition(";")[0].strip() != "application/json":
                return _refused(415, "what is asked must be JSON")
        elif any(origin not in self._origins for origin in origins):
            return _refused(403, "only the page itself may ask this")
        return None


def policy_of(page: str) -> str:
    """The Content-Security-Policy of a page: its own script and style, and requests to itself."""
    hashes: dict[str, list[str]] = {"script": [], "style": []}
    for kind, content in _INLINE.findall(page):
        digest = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
        hashes[kind].append(f"'sha256-{digest}'")
    return "; ".join(
        [
            "default-src 'none'",
            f"script-src {' '.join(hashes['script'])}",
            f"style-src {' '.join(hashes['style'])}",
            "connect-src 'self'",
            "img-src data:",
            "base-uri 'none'",
            "form-action 'none'",
            "frame-ancestors 'none'",
        ]
    )


def _refused(status: int, line: str) -> JSONResponse:
    return JSONResponse({"error": line}, status)
