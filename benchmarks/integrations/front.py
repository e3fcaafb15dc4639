"""``GET /`` of a node whose distribution does not answer it, which every client begins with."""

from __future__ import annotations

import http.client
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import urlopen

_HOP = {"connection", "content-length", "host", "keep-alive", "transfer-encoding"}
_METHODS = ("GET", "HEAD", "POST", "PUT", "DELETE")


@contextmanager
def answering_root(url: str, version: str) -> Iterator[str]:
    """The node's own address where it answers ``GET /``, else one before it that does."""
    try:
        with urlopen(url):
            yield url
        return
    except HTTPError:
        pass
    greeting = json.dumps(
        {
            "name": "node",
            "cluster_name": "densehook",
            "version": {"number": version, "build_flavor": "default"},
            "tagline": "You Know, for Search",
        }
    ).encode()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(url, greeting))
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


def _handler(url: str, greeting: bytes) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            if self.command == "GET" and urlsplit(self.path).path == "/":
                product = ("X-Elastic-Product", "Elasticsearch")
                self._send(200, [product, ("Content-Type", "application/json")], greeting)
                return
            node = http.client.HTTPConnection(urlsplit(url).netloc)
            headers = {k: v for k, v in self.headers.items() if k.lower() not in _HOP}
            node.request(self.command, self.path, body or None, headers)
            response = node.getresponse()
            content = response.read()
            kept = [(k, v) for k, v in response.getheaders() if k.lower() not in _HOP]
            self._send(response.status, kept, content)
            node.close()

        def _send(self, status: int, headers: list[tuple[str, str]], content: bytes) -> None:
            self.send_response(status)
            for name, value in headers:
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *args: object) -> None:
            pass

    for method in _METHODS:
        setattr(Handler, f"do_{method}", Handler.answer)
    return Handler
