"""The socket of the page, and serving it until somebody interrupts."""

from __future__ import annotations

import errno
import socket

import uvicorn
from starlette.types import ASGIApp

from ..errors import RequestError

HOST = "127.0.0.1"
PORT = 8421
"""Where the page is unless a port is named, or the next free one."""

_HTTP = 80
_TRIED = 50
_GRACE_S = 1


def listen(port: int | None = None) -> socket.socket:
    """A socket on this machine's loopback, at a port, or by default at PORT or the next free.

    Raises RequestError for a port that cannot be had.
    """
    if port is not None:
        return _listening(port)
    for each in range(PORT, PORT + _TRIED):
        try:
            return _listening(each)
        except RequestError:
            continue
    return _listening(0)


def names_of(listening: socket.socket) -> list[str]:
    """What a browser calls the page's host, the name to be shown first."""
    port = listening.getsockname()[1]
    # which leaves HTTP's own port out
    return [name if port == _HTTP else f"{name}:{port}" for name in (HOST, "localhost")]


def serve(app: ASGIApp, listening: socket.socket) -> None:
    """Serves until the process is interrupted; searches under way then are left."""
    config = uvicorn.Config(
        app,
        http="h11",
        ws="none",
        lifespan="off",
        log_config=None,
        log_level="critical",  # what fails is told to the page
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=_GRACE_S,
    )
    try:
        uvicorn.Server(config).run(sockets=[listening])
    except KeyboardInterrupt:  # the way such a command ends
        return
    finally:
        listening.close()


def _listening(port: int) -> socket.socket:
    made = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        # a port that a page before has just left is free
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind((HOST, port))
        made.listen()
    except (OSError, OverflowError) as error:
        made.close()
        raise RequestError(_refusal(port, error)) from None
    return made


def _refusal(port: int, error: Exception) -> str:
    if isinstance(error, OSError) and error.errno == errno.EADDRINUSE:
        return f"port {port} is taken; name another with --port, or leave it out for a free one"
    reason = getattr(error, "strerror", None) or error
    return f"port {port} cannot be had: {reason}; name another with --port"
