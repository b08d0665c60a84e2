"""The server: LitServe with one worker a device or more, and one process that speaks HTTP."""

import signal
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from functools import partial
from http import HTTPStatus
from multiprocessing import resource_tracker
from multiprocessing.process import BaseProcess
from typing import Any

from fastapi import FastAPI
from litserve import LitServer
from litserve.utils import WorkerSetupStatus
from starlette.exceptions import HTTPException
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from adaptkit.errors import ServerFailed
from adaptkit.serving.api import ZooAPI
from adaptkit.serving.gate import LOCAL_HOSTS, Gate
from adaptkit.serving.limits import Limits
from adaptkit.serving.metrics import Counted
from adaptkit.serving.page import page_file
from adaptkit.serving.refusal import BROKEN, Refusal, Refused

LOCAL = "127.0.0.1"
_LOOKS_UP_S = 0.5


class ZooServer(LitServer):  # type: ignore[misc]  # it has no types
    """A zoo behind HTTP.

    `accelerator` and `devices` are LitServe's; `on_ready` is called when requests can come.
    """

    _shutdown_event: Any

    def __init__(
        self,
        api: ZooAPI,
        limits: Limits,
        *,
        host: str,
        accelerator: str,
        devices: Any,  # noqa: ANN401 - LitServe's own
        workers: int,
        on_ready: Callable[[], None],
    ) -> None:
        super().__init__(
            api,
            accelerator=accelerator,
            devices=devices,
            workers_per_device=workers,
            timeout=limits.timeout,
            disable_openapi_url=True,  # its page would ask another site for scripts
            restart_workers=True,
        )
        self._host, self._on_ready = host, on_ready
        # LitServe knows its workers when all have begun, and a signal may come before.
        self._begun: list[BaseProcess] = []
        # Vectors do not get shorter by it, and it takes longer than all else here.
        self.app.user_middleware = [each for each in self.app.user_middleware if each.cls is not GZipMiddleware]
        hosts = LOCAL_HOSTS if host == LOCAL else None
        self.app.add_middleware(Gate, max_body_bytes=limits.max_body_bytes, hosts=hosts)
        self.app.add_middleware(Counted, metrics=api.counted)
        _tell_errors(self.app)
        _show_page(self.app)

    def serve(self, port: int, *, log_level: str) -> None:
        """Answer until it is interrupted.

        Raises:
            ServerFailed: A worker could not start.
        """
        try:
            self.run(
                host=self._host,
                port=port,
                num_api_servers=1,
                log_level=log_level,
                generate_client_file=False,
                access_log=False,
                server_header=False,
            )
        except BaseException:  # while workers load, nothing else ends them
            self._end_workers()
            raise

    def _init_manager(self, *given: Any) -> Any:  # noqa: ANN401 - LitServe's own
        with _out_of_reach_of(signal.SIGINT, signal.SIGTERM):
            manager = super()._init_manager(*given)
        self._shutdown_event = WaitingAwake(self._shutdown_event)
        return manager

    def launch_inference_worker(self, *given: Any) -> Any:  # noqa: ANN401
        """As LitServe does, out of reach of what ends the server."""
        with _out_of_reach_of(signal.SIGINT, signal.SIGTERM):
            begun = super().launch_inference_worker(*given)
            self._begun += begun
            return begun

    def launch_single_inference_worker(self, *given: Any) -> Any:  # noqa: ANN401
        """The same for a worker in the place of another."""
        with _out_of_reach_of(signal.SIGINT, signal.SIGTERM):
            begun = super().launch_single_inference_worker(*given)
            self._begun.append(begun)
            return begun

    def _start_server(self, *given: Any, **named: Any) -> Any:  # noqa: ANN401
        with _out_of_reach_of(signal.SIGINT):
            return super()._start_server(*given, **named)

    def _perform_graceful_shutdown(self, manager: Any, uvicorn_workers: Any, *_: Any) -> None:  # noqa: ANN401
        """As LitServe does, but that workers, which keep nothing, are not asked: they end when all is answered."""
        # So that none is started in the place of one that ends here. The event before ends with the manager.
        self._shutdown_event = threading.Event()
        self._shutdown_event.set()
        self._transport.close(send_sentinel=False)
        for speaking in uvicorn_workers.values():
            if isinstance(speaking, threading.Thread):  # Windows
                continue
            speaking.terminate()
            speaking.join(timeout=self.uvicorn_graceful_timeout)
            speaking.kill()
        self._end_workers()
        manager.shutdown()

    def _end_workers(self) -> None:
        for worker in self._begun:
            worker.kill()
            worker.join()

    def verify_worker_status(self) -> None:
        """Wait for the first worker.

        Raises:
            ServerFailed: One has ended, and has said why.
        """
        statuses = self.workers_setup_status
        while WorkerSetupStatus.READY not in statuses.values():
            failed = WorkerSetupStatus.ERROR in statuses.values()
            if failed or not all(worker.is_alive() for worker in self.inference_workers):
                raise ServerFailed("a worker could not start, and has said why; the server has ended.")
            time.sleep(0.05)

    @asynccontextmanager
    async def lifespan(self, app: FastAPI) -> AsyncIterator[None]:
        """What LitServe does while HTTP is spoken, and the word that it is."""
        async with super().lifespan(app):
            self._on_ready()
            yield


class WaitingAwake:
    """An event of another process. Who waits for it looks up now and then.

    A signal may be received by another thread than the main one, which alone answers it, and does so between two steps
    of its own: one that waited in a single step would wait for ever.
    """

    def __init__(self, event: Any) -> None:  # noqa: ANN401 - a manager's
        self._event = event

    def wait(self) -> None:
        """Until it is set."""
        while not self._event.wait(_LOOKS_UP_S):
            pass

    def is_set(self) -> bool:
        """Whether it is."""
        return bool(self._event.is_set())

    def set(self) -> None:
        """Let whoever waits go on."""
        self._event.set()


@contextmanager
def _out_of_reach_of(*signals: signal.Signals) -> Iterator[None]:
    """Let processes that begin here not get these.

    A terminal, or a system that ends a service, sends them to all processes at once; each would tell where it was, or
    take with it what requests still wait for. The main one has them, and ends the others in their order.
    """
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        yield
        return
    resource_tracker.ensure_running()  # where it has to begin first, it lets all signals through again
    before = signal.pthread_sigmask(signal.SIG_BLOCK, signals)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _tell_errors(app: FastAPI) -> None:
    """Let every refusal have the form that OpenAI's clients read."""

    async def refused(_: Request, error: Exception) -> Response:
        assert isinstance(error, Refused)  # noqa: S101 - registered for it
        return _response(error.refusal)

    async def other(_: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)  # noqa: S101 - registered for it
        word = HTTPStatus(error.status_code).phrase
        return _response(Refusal(error.status_code, word.lower().replace(" ", "_"), f"{word}: {error.detail}"))

    async def broken(_: Request, __: Exception) -> Response:
        return _response(BROKEN)

    app.add_exception_handler(Refused, refused)
    app.add_exception_handler(HTTPStatus.NOT_FOUND, _not_found)
    app.add_exception_handler(HTTPException, other)
    app.add_exception_handler(Exception, broken)


async def _not_found(request: Request, _: Exception) -> Response:
    message = f"there is no {request.url.path[:200]} here; GET / shows a page, GET /v1/models what there is."
    return _response(Refusal(HTTPStatus.NOT_FOUND, "not_found", message))


def _response(refusal: Refusal) -> Response:
    wait = {"retry-after": "1"} if refusal.status == HTTPStatus.TOO_MANY_REQUESTS else {}
    return JSONResponse(refusal.body, refusal.status, wait)


_PAGES = {
    "/": "page.html",
    "/page.css": "page.css",
    "/page.js": "page.js",
    "/page.svg": "page.svg",
    "/favicon.ico": "page.svg",  # asked for by browsers that show something else of this server
}


def _show_page(app: FastAPI) -> None:
    """Put the page where LitServe says only that it runs."""
    app.router.routes[:] = [route for route in app.router.routes if getattr(route, "path", None) != "/"]
    for path, name in _PAGES.items():
        app.router.routes.append(Route(path, partial(_shown, name)))


async def _shown(name: str, _: Request) -> Response:
    content, kind = page_file(name)
    return Response(content, media_type=kind)
