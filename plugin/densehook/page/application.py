"""The page over HTTP: one file, and what it asks for, in JSON."""

from __future__ import annotations

import asyncio
import json
import logging
import threading
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from importlib.resources import files
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from ..errors import (
    ClusterUnreachable,
    DensehookError,
    ElasticError,
    NotElasticsearch,
    QueueFull,
    RequestError,
)
from .asking import (
    document_of,
    grading_of,
    judgement_of,
    order_of,
    query_of,
    question_of,
    search_of,
)
from .comparing import Comparison
from .guarding import Guard, policy_of

log = logging.getLogger(__name__)

_MOST_BYTES = 1 << 20
"""Of what is asked; the longest question an encoder is given has fewer."""

Answer = Callable[[Mapping[str, Any]], Mapping[str, Any]]


def compare_app(comparison: Comparison, hosts: Iterable[str]) -> ASGIApp:
    """The application, which answers only to ``hosts``, as ``127.0.0.1:8421``."""
    page = files(__package__).joinpath("page.html").read_text(encoding="utf-8")

    async def shown(_: Request) -> Response:
        return HTMLResponse(page)

    answers: Mapping[str, Answer] = {
        "search": lambda body: comparison.search(search_of(body)),
        "question": lambda body: comparison.question(question_of(body)),
        "judge": lambda body: comparison.judge(judgement_of(body)),
        "document": lambda body: comparison.document(document_of(body)),
        "about": lambda _: comparison.about(),
        "pool": lambda body: comparison.judging.pairs(order_of(body)),
        "pair": lambda body: comparison.judging.pair(query_of(body), document_of(body)),
        "grade": lambda body: comparison.grade(grading_of(body)),
    }
    routes = [
        Route("/", shown, methods=["GET"]),
        *(
            Route(f"/api/{name}", _answering(answer), methods=["POST"])
            for name, answer in answers.items()
        ),
    ]
    return Guard(Starlette(routes=routes), hosts, policy_of(page))


def _answering(answer: Answer) -> Callable[[Request], Any]:
    """What is asked in JSON is answered on a thread; an error is one line in ``error``."""

    async def answered(request: Request) -> Response:
        try:
            asked = await _body(request)
            return JSONResponse(dict(await _on_thread(answer, asked)))
        except DensehookError as error:
            return JSONResponse({"error": str(error)}, _status(error))
        except asyncio.CancelledError:  # the page ends, and does not wait for a cluster
            return JSONResponse({"error": "densehook compare was ended"}, 503)
        except Exception as error:  # a bug of ours is told like any error
            log.debug("%s failed", request.url.path, exc_info=True)
            line = f"{type(error).__name__}: {error}; this is a bug of densehook"
            return JSONResponse({"error": line}, 500)

    return answered


async def _on_thread(answer: Answer, asked: Mapping[str, Any]) -> Mapping[str, Any]:
    """Answers on a thread that the process need not wait for when it ends."""
    loop = asyncio.get_running_loop()
    coming: asyncio.Future[Mapping[str, Any]] = loop.create_future()

    def settle(told: Mapping[str, Any] | BaseException) -> None:
        if coming.done():  # nobody waits any more
            return
        if isinstance(told, BaseException):
            coming.set_exception(told)
        else:
            coming.set_result(told)

    def work() -> None:
        try:
            told: Mapping[str, Any] | BaseException = answer(asked)
        except Exception as error:
            told = error
        with suppress(RuntimeError):  # the loop is closed
            loop.call_soon_threadsafe(settle, told)

    threading.Thread(target=work, daemon=True).start()
    return await coming


async def _body(request: Request) -> Mapping[str, Any]:
    content = bytearray()
    async for chunk in request.stream():
        content += chunk
        if len(content) > _MOST_BYTES:
            raise RequestError(f"what is asked is longer than {_MOST_BYTES:,} bytes; shorten it")
    try:
        body = json.loads(content)
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise RequestError("what is asked is no object of JSON")
    return body


_OF_THE_CLUSTER = (ClusterUnreachable, ElasticError, NotElasticsearch)


def _status(error: DensehookError) -> int:
    if isinstance(error, QueueFull):
        return 429
    return 502 if isinstance(error, _OF_THE_CLUSTER) else 400
