"""What is refused of a method's values, whichever method it is."""

from collections.abc import Collection, Sequence
from typing import Literal, get_args

from adaptkit.config import MAX_RANK, Activation, SiteName
from adaptkit.errors import ConfigError

Width = Literal["rank", "width", "reduction_factor"]


def require(holds: bool, message: str) -> None:
    """Raise a `ConfigError` that says this where something does not hold."""
    if not holds:
        raise ConfigError(message)


def require_width(value: int, name: Width) -> None:
    """Let a rank, a width or a factor be one that is built and read."""
    require(1 <= value <= MAX_RANK, f"{name} must lie between 1 and {MAX_RANK}, found {value}.")


def require_activation(activation: Activation) -> None:
    """Let an activation be one that there is."""
    known = get_args(Activation)
    require(activation in known, f"activation is one of {', '.join(known)}, found {activation!r}.")


def require_places(
    method: str, sites: Sequence[SiteName], allowed: Collection[SiteName], blocks: tuple[int, ...] | None
) -> None:
    """Let a method act at sites and in blocks where it can.

    Raises:
        ConfigError: No site, one where the method cannot act, one twice; or numbers that cannot be those of blocks.
    """
    wrong = [site for site in sites if site not in allowed]
    require(not wrong, f"{method} cannot act at {', '.join(wrong)}; it acts at {', '.join(allowed)}.")
    require(bool(sites), f"{method} needs at least one site; choose from {', '.join(allowed)}.")
    require(len(set(sites)) == len(sites), f"{method} names a site twice: {', '.join(sites)}.")
    if blocks is not None:
        require(len(blocks) > 0, "blocks=() leaves no block for the adapter; give block numbers, or None for all.")
        require(blocks == tuple(sorted(set(blocks))), f"blocks must ascend without repeats, found {blocks}.")
        require(blocks[0] >= 0, f"block numbers count from 0, found {blocks[0]}.")
