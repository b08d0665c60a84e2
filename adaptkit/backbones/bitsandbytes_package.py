"""The package bitsandbytes, which quantises weights: imported where it is needed first, without a word."""

import logging
import sys
import threading
from types import ModuleType

from adaptkit.errors import ConfigError
from adaptkit.version import install_command

_importing = threading.Lock()


def bitsandbytes() -> ModuleType:
    """The package, imported where it is needed first.

    Raises:
        ConfigError: It is not installed.
    """
    # A list and no cache of functools: torch.compile warns of those.
    if not _package:
        with _importing:
            _package.append(_imported())
    return _package[0]


_package: list[ModuleType] = []


def _imported() -> ModuleType:
    log = logging.getLogger("bitsandbytes.backends.cpu.ops")
    before = log.level
    hidden = sys.modules.get("kernels")
    # With `kernels` installed, importing would fetch code from a hub; without it, it would log that it could not.
    sys.modules["kernels"] = None  # type: ignore[assignment]
    log.setLevel(logging.ERROR)
    try:
        import bitsandbytes as package
    except ImportError as error:
        raise ConfigError(
            f"8- and 4-bit backbones need the package bitsandbytes: {error}. Run: {install_command('quantized')}"
        ) from error
    finally:
        log.setLevel(before)
        sys.modules.pop("kernels")
        if hidden is not None:
            sys.modules["kernels"] = hidden
    module: ModuleType = package
    return module
