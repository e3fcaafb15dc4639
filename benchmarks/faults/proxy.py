"""A loopback address before the node's, where requests meet what a schedule has for them."""

from __future__ import annotations

import contextlib
import http.client
import http.server
import socket
import threading
import time
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

from .schedule import Answer

_TIMEOUT_S = 120
_REFUSALS: Mapping[int, tuple[list[tuple[str, str]], bytes]] = {
    429: (
        [("Content-Type", "application/json"), ("X-Elastic-Product", "Elasticsearch")],
        b'{"error": {"type": "es_rejected_execution_exception",'
        b' "reason": "rejected execution of coordinating operation"}, "status": 429}',
    ),
    503: ([("Content-Type", "text/plain")], b"no healthy upstream"),
}
_HOP = ("connection", "content-length", "keep-alive", "transfer-encoding")


class Proxy:
    """Passes requests on, each as ``treat`` says of its number, method and path.

    ``carried_out`` is told of the number when the node has answered, before its answer goes back.
    ``target`` gives the node's address, which changes when it is started again.
    """

    def __init__(
        self,
        target: Callable[[], str],
        treat: Callable[[int, str], Answer],
        carried_out: Callable[[int], None],
    ) -> None:
        self._target = target
        self._treat = treat
        self._carried_out = carried_out
        self._lock = threading.Lock()
        self._requests = 0
        proxy = self

        class Handler(_Handler):
            def pass_on(self) -> None:
                proxy._pass_on(self)

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        where: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _pass_on(self, handler: _Handler) -> None:
        body = handler.rfile.read(int(handler.headers.get("Content-Length", 0)))
        with self._lock:
            self._requests += 1
            number = self._requests
        answer = self._treat(number, handler.path)
        time.sleep(answer.delay)
        if answer.cut == "before":
            handler.cut()
        elif answer.status:
            handler.refuse(answer)
        else:
            try:
                status, headers, content = self._fetched(handler, body)
            except (OSError, http.client.HTTPException):
                handler.cut()
                return
            self._carried_out(number)
            if answer.cut == "after":
                handler.cut()
            else:
                handler.reply(status, headers, content, whole=answer.cut != "inside")

    def _fetched(self, handler: _Handler, body: bytes) -> tuple[int, list[tuple[str, str]], bytes]:
        target = urlsplit(self._target())
        there = http.client.HTTPConnection(target.hostname or "", target.port, timeout=_TIMEOUT_S)
        with contextlib.closing(there):
            headers = {k: v for k, v in handler.headers.items() if k.lower() not in _HOP}
            there.request(handler.command, handler.path, body, headers)
            response = there.getresponse()
            content = response.read()
            kept = [(k, v) for k, v in response.getheaders() if k.lower() not in _HOP]
            return response.status, kept, content


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def pass_on(self) -> None:
        """Answers the request."""
        raise NotImplementedError

    def do_GET(self) -> None:
        """Any method is passed on."""
        self.pass_on()

    do_PUT = do_POST = do_DELETE = do_HEAD = do_GET  # noqa: N815

    def handle(self) -> None:
        """Requests of one connection, until it ends, as that of a feeder that was killed."""
        with contextlib.suppress(ConnectionError):
            super().handle()

    def log_message(self, format: str, *args: object) -> None:
        """Says nothing."""

    def cut(self) -> None:
        """Ends the connection without an answer."""
        self.close_connection = True
        with contextlib.suppress(OSError):
            self.connection.shutdown(socket.SHUT_RDWR)

    def refuse(self, answer: Answer) -> None:
        """Answers as a node does that is busy, or a proxy that has none behind it."""
        headers, content = _REFUSALS[answer.status]
        if answer.retry_after:
            headers = [*headers, ("Retry-After", answer.retry_after)]
        self.reply(answer.status, headers, content, whole=True)

    def reply(
        self, status: int, headers: list[tuple[str, str]], content: bytes, *, whole: bool
    ) -> None:
        """Sends an answer, or half of it."""
        self.send_response_only(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content if whole else content[: len(content) // 2])
        if not whole:
            self.cut()
