"""What stands before every endpoint: bounds on bodies, the hosts that are answered, headers for browsers."""

from http import HTTPStatus

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from adaptkit.serving.refusal import Refusal, Refused

LOCAL_HOSTS = frozenset({"127.0.0.1", "localhost", "[::1]"})
_HEADERS = {
    b"content-security-policy": b"default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    b"img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    b"x-content-type-options": b"nosniff",
    b"referrer-policy": b"no-referrer",
    b"cross-origin-resource-policy": b"same-origin",
    b"cache-control": b"no-store",
}


class Gate:
    """Refuses bodies above a bound before they are read, other hosts than those that are meant, and strangers' pages.

    A browser lets any page send requests to this machine, and a page's own host may be made to point here. So what
    comes from another page is refused, and a server that is for this machine alone answers to this machine's names
    only. `hosts` None: to all.
    """

    def __init__(self, app: ASGIApp, *, max_body_bytes: int, hosts: frozenset[str] | None) -> None:
        self._app, self._most, self._hosts = app, max_body_bytes, hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """As every ASGI application."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def sent(message: Message) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message.get("headers", ()), *_HEADERS.items()]}
            await send(message)

        headers = dict(scope["headers"])
        if refusal := self._refusal(headers):
            await JSONResponse(refusal.body, refusal.status, {"connection": "close"})(scope, receive, sent)
            return
        await self._app(scope, self._bounded(receive), sent)

    def _refusal(self, headers: dict[bytes, bytes]) -> Refusal | None:
        host = headers.get(b"host", b"").decode("latin-1").rpartition(":")
        name = host[0] if host[0] and host[2].isdigit() else "".join(host)
        if self._hosts is not None and name not in self._hosts:
            return Refusal(
                HTTPStatus.FORBIDDEN,
                "another_host",
                f"this server answers to {', '.join(sorted(self._hosts))}, and was asked for another host. Start it "
                "with --host 0.0.0.0 to let other machines in.",
            )
        origin = headers.get(b"origin", b"").decode("latin-1")
        if origin and origin.rpartition("//")[2] != headers.get(b"host", b"").decode("latin-1"):
            return Refusal(
                HTTPStatus.FORBIDDEN,
                "another_origin",
                f"a page of {origin[:200]} may ask nothing here: only the page of this server itself may.",
            )
        length = headers.get(b"content-length", b"0")
        return self._too_long if length.isdigit() and int(length[:20]) > self._most else None

    @property
    def _too_long(self) -> Refusal:
        return Refusal(
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
            "too_long",
            f"the body is longer than {self._most:,} bytes. Send several requests.",
        )

    def _bounded(self, receive: Receive) -> Receive:
        n_bytes = 0

        async def received() -> Message:
            nonlocal n_bytes
            message = await receive()
            n_bytes += len(message.get("body", b""))
            if n_bytes > self._most:
                raise Refused(self._too_long)
            return message

        return received
