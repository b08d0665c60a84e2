"""What a server has answered and how long that took, in the text format of Prometheus."""

import time
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from http import HTTPStatus
from itertools import accumulate

from starlette.types import ASGIApp, Message, Receive, Scope, Send

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
UP_TO_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
"""Bounds of the buckets of seconds; one more has what took longer."""
_UNKNOWN = "other"


class Metrics:
    """Counts of the process that speaks HTTP, which is one."""

    def __init__(self) -> None:
        self._requests = Counter[tuple[str, int]]()
        self._buckets: dict[str, list[int]] = {}
        self._seconds: dict[str, float] = {}

    def count(self, path: str, status: int, elapsed_s: float) -> None:
        """One request is answered."""
        self._requests[path, status] += 1
        self._buckets.setdefault(path, [0] * (len(UP_TO_S) + 1))[bisect_left(UP_TO_S, elapsed_s)] += 1
        self._seconds[path] = self._seconds.get(path, 0.0) + elapsed_s

    def text(self, *, waiting: int, adapters: int) -> str:
        """All of it, with how many requests wait or are being answered and how many adapters are served now."""
        requests = [({"path": path, "status": str(status)}, n) for (path, status), n in sorted(self._requests.items())]
        lines = [
            *_described("adaptkit_requests_total", "counter", "Requests that were answered, by path and HTTP status."),
            *(_line("adaptkit_requests_total", labels, n) for labels, n in requests),
            *_described("adaptkit_request_seconds", "histogram", "Seconds until a request was answered, by path."),
            *self._histogram("adaptkit_request_seconds"),
            *_described("adaptkit_waiting", "gauge", "Requests that wait for a worker or are being answered by one."),
            _line("adaptkit_waiting", {}, waiting),
            *_described("adaptkit_adapters", "gauge", "Adapters that requests may name now."),
            _line("adaptkit_adapters", {}, adapters),
        ]
        return "\n".join(lines) + "\n"

    def _histogram(self, name: str) -> Iterator[str]:
        for path, counts in sorted(self._buckets.items()):
            bounds = [*map(str, UP_TO_S), "+Inf"]
            for bound, n in zip(bounds, accumulate(counts), strict=True):
                yield _line(f"{name}_bucket", {"path": path, "le": bound}, n)
            yield _line(f"{name}_sum", {"path": path}, round(self._seconds[path], 6))
            yield _line(f"{name}_count", {"path": path}, sum(counts))


class Counted:
    """Counts every request, also those that are refused before they are read."""

    def __init__(self, app: ASGIApp, *, metrics: Metrics) -> None:
        self._app, self._metrics = app, metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """As every ASGI application."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        # What is raised is told by the layer around all of these.
        status, started = int(HTTPStatus.INTERNAL_SERVER_ERROR), time.perf_counter()

        async def sent(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, sent)
        finally:
            self._metrics.count(_path_of(scope), status, time.perf_counter() - started)


def _path_of(scope: Scope) -> str:
    """A path that there is; whatever else clients may ask for is one more, so that they cannot fill the memory."""
    known = {getattr(route, "path", None) for route in scope["app"].routes}
    path: str = scope["path"]
    return path if path in known else _UNKNOWN


def _described(name: str, kind: str, said: str) -> Iterable[str]:
    return f"# HELP {name} {said}", f"# TYPE {name} {kind}"


def _line(name: str, labels: Mapping[str, str], value: float) -> str:
    # No path, status or bound has a sign that would have to be escaped.
    inside = ",".join(f'{label}="{text}"' for label, text in labels.items())
    return f"{name}{{{inside}}} {value}" if inside else f"{name} {value}"
