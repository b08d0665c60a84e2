"""Whether a hub can be asked at all."""

_TIMEOUT_S = 5.0


def hub_answers() -> bool:
    """Ask once, briefly: the client's own retries take most of a minute to find out that there is no network."""
    # Imported here: help and lists ask no hub.
    from threading import Thread

    from huggingface_hub import constants

    if constants.HF_HUB_OFFLINE:
        return False
    answers: list[bool] = []
    # In a thread: a timeout bounds each address that a name has, and the look-up of the name itself not at all.
    asking = Thread(target=lambda: answers.append(_answers(constants.ENDPOINT)), daemon=True)
    asking.start()
    asking.join(_TIMEOUT_S)
    return any(answers)


def _answers(endpoint: str) -> bool:
    from urllib.error import HTTPError
    from urllib.request import Request, urlopen

    try:
        with urlopen(Request(endpoint, method="HEAD"), timeout=_TIMEOUT_S):  # noqa: S310 - the hub's URL
            return True
    except HTTPError:
        return True
    except OSError:
        return False
