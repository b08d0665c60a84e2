"""What a request is told that gets no answer, in the form in which OpenAI's clients read it."""

from dataclasses import dataclass
from http import HTTPStatus

from adaptkit.errors import (
    AdapterFileError,
    AdaptkitError,
    AmbiguousAdapter,
    CompatibilityError,
    NoHead,
    OutOfMemory,
    SourceNotFound,
    UnknownAdapter,
)


@dataclass(frozen=True)
class Refusal:
    """A status of HTTP, a word that programs read, a message for people, and the field of the body that is meant."""

    status: int
    code: str
    message: str
    param: str | None = None

    @property
    def body(self) -> dict[str, object]:
        """As OpenAI's clients read it."""
        kind = "invalid_request_error" if self.status < HTTPStatus.INTERNAL_SERVER_ERROR else "server_error"
        param = None if self.param is None else _writable(self.param)
        return {"error": {"message": _writable(self.message), "type": kind, "param": param, "code": self.code}}


def _writable(said: str) -> str:
    """The same with half characters spelled out, which JSON may bring in and no answer can take out again."""
    return said.encode("utf-8", "backslashreplace").decode()


class Refused(Exception):
    """A request that is answered by a refusal."""

    def __init__(self, refusal: Refusal) -> None:
        self.refusal = refusal
        super().__init__(refusal.message)


def malformed(message: str, param: str | None = None) -> Refused:
    """A body in which something is not as it must be, or beyond a bound."""
    return Refused(Refusal(HTTPStatus.UNPROCESSABLE_ENTITY, "invalid_value", message, param))


# 409 would say more of some of these, and OpenAI's clients ask again after it.
_ERRORS: tuple[tuple[type[AdaptkitError], int, str], ...] = (
    (UnknownAdapter, HTTPStatus.NOT_FOUND, "model_not_found"),
    (AmbiguousAdapter, HTTPStatus.BAD_REQUEST, "ambiguous_model"),
    (NoHead, HTTPStatus.BAD_REQUEST, "no_head"),
    (CompatibilityError, HTTPStatus.BAD_REQUEST, "another_backbone"),
    (AdapterFileError, HTTPStatus.BAD_REQUEST, "unsound_adapter"),
    (SourceNotFound, HTTPStatus.SERVICE_UNAVAILABLE, "no_zoo"),
    (OutOfMemory, HTTPStatus.SERVICE_UNAVAILABLE, "out_of_memory"),
    (AdaptkitError, HTTPStatus.BAD_REQUEST, "invalid_value"),
)


def refusal_of(error: AdaptkitError, *, folder: str = "") -> Refusal:
    """What a client is told of an error of ours; nothing of where `folder` lies."""
    status, code = next((status, code) for kind, status, code in _ERRORS if isinstance(error, kind))
    message = str(error)
    return Refusal(status, code, message.replace(f"{folder}/", "").replace(folder, "the zoo") if folder else message)


BROKEN = Refusal(
    HTTPStatus.INTERNAL_SERVER_ERROR, "broken", "something is wrong in the server; its log says what. Ask again later."
)
BUSY = Refusal(HTTPStatus.TOO_MANY_REQUESTS, "busy", "too many requests are waiting here. Come back in a second.")
LATE = Refusal(
    HTTPStatus.SERVICE_UNAVAILABLE, "late", "no answer was there in time; more is asked than the server can do."
)
NO_KEY = Refusal(
    HTTPStatus.UNAUTHORIZED,
    "invalid_api_key",
    "this server wants an API key, and the one that came is not it. Give it as 'Authorization: Bearer KEY'; OpenAI's "
    "clients do so with api_key=...",
)
