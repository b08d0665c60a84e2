"""Whether a hub can be asked at all."""

_TIMEOUT_S = 5.0


def hub_answers() -> bool:
    """Ask once, briefly: the client's own retries take most of a minute to find out that there is no network."""
    # Imported here: help and lists ask no hub.
    from urllib.error import HTTPError
    from urllib.request import Request, urlopen

    from huggingface_hub import constants

    if constants.HF_HUB_OFFLINE:
        return False
    try:
        with urlopen(Request(constants.ENDPOINT, method="HEAD"), timeout=_TIMEOUT_S):  # noqa: S310 - the hub's URL
            return True
    except HTTPError:
        return True
    except OSError:
        return False
