"""What a hub answers instead of what it was asked for, as errors of ours.

What it says is quoted with its control characters escaped, as it may come from anybody.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus

from httpx2 import HTTPError, InvalidURL
from huggingface_hub import constants
from huggingface_hub.errors import (
    GatedRepoError,
    HfHubHTTPError,
    OfflineModeIsEnabled,
    RemoteEntryNotFoundError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)

from adaptkit.errors import AdaptkitError, HubError, SourceNotFound

_LOG_IN = "Log in with `hf auth login`, or set HF_TOKEN"


@contextmanager
def asking(repo_id: str, revision: str | None = None) -> Iterator[None]:
    """Around every call to the hub.

    Raises:
        SourceNotFound: The hub has no such repository or revision, as far as it tells this user.
        HubError: It is switched off, does not answer, refuses, or answers nonsense.
    """
    try:
        yield
    except OfflineModeIsEnabled as error:
        raise HubError(
            f"HF_HUB_OFFLINE is set, so no hub is asked for {repo_id}. Unset it, or use a folder on this machine."
        ) from error
    except HfHubHTTPError as error:
        raise _refusal(error, repo_id, revision) from error
    except (HTTPError, InvalidURL) as error:
        raise HubError(
            f"{constants.ENDPOINT} does not answer for {repo_id} ({_first_line(error)}). Check the network and "
            "HF_ENDPOINT, and run the same again; a pull continues from what has arrived."
        ) from error
    except OSError as error:
        if error.errno is not None:  # this machine's disk, not the hub
            raise
        raise HubError(f"the hub closed the connection for {repo_id} ({_first_line(error)}). Try again.") from error
    except (ValueError, TypeError, KeyError, AttributeError, RuntimeError) as error:
        if isinstance(error.__cause__, HfHubHTTPError):  # from within an upload
            raise _refusal(error.__cause__, repo_id, revision) from error
        raise HubError(
            f"{constants.ENDPOINT} and huggingface_hub do not understand each other about {repo_id} "
            f"({type(error).__name__}: {_first_line(error)}). Is it a model hub?"
        ) from error


def _refusal(error: HfHubHTTPError, repo_id: str, revision: str | None) -> AdaptkitError:
    status = error.response.status_code
    says = f" It says {error.server_message[:200]!r}." if error.server_message else ""
    if isinstance(error, RevisionNotFoundError):
        return SourceNotFound(
            f"{repo_id} has no revision {revision!r}. Give a branch, a tag or the whole 40 digits of a commit."
        )
    if isinstance(error, GatedRepoError):
        return HubError(
            f"{repo_id} is open to some users only. Ask for access at {constants.ENDPOINT}/{repo_id}, and then: "
            f"{_LOG_IN}."
        )
    if isinstance(error, RemoteEntryNotFoundError):
        return HubError(f"{repo_id} listed a file that it does not have. Try again.")
    if isinstance(error, RepositoryNotFoundError) or status == HTTPStatus.NOT_FOUND:
        return SourceNotFound(
            f"{constants.ENDPOINT} has no repository {repo_id}, or does not show it to you. Check the name "
            f"(owner/name) and HF_ENDPOINT. For a private one: {_LOG_IN}."
        )
    if status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
        return HubError(
            f"{constants.ENDPOINT} does not allow this for {repo_id} (status {status}).{says} {_LOG_IN}, with a "
            "token that may read it, and to push, write to it."
        )
    if status in (HTTPStatus.CONFLICT, HTTPStatus.PRECONDITION_FAILED):
        return HubError(
            f"{repo_id} was made by somebody else, or changed meanwhile (status {status}).{says} Look at it and "
            "try again."
        )
    later = " Try again later." if status >= HTTPStatus.INTERNAL_SERVER_ERROR else ""
    return HubError(f"{constants.ENDPOINT} answered for {repo_id} with status {status}.{says}{later}")


def _first_line(error: Exception) -> str:
    return ascii(str(error).partition("\n")[0][:200])[1:-1]
