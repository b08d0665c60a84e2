"""Adapters that are attached for a while."""

from collections.abc import Iterator
from contextlib import contextmanager

from adaptkit.model import AdaptedModel
from adaptkit.storage import Adapter


@contextmanager
def attached(model: AdaptedModel, *adapters: Adapter) -> Iterator[None]:
    """Have exactly these adapters under their ids; another one of the same id steps aside for the time.

    What was attached before is attached afterwards, whatever happens. Raises what `AdaptedModel.attach` does.
    """
    there = [model.attached_adapter(adapter.id) for adapter in adapters]
    missing = [
        adapter
        for adapter, other in zip(adapters, there, strict=True)
        if other is None or other.weights_sha256 != adapter.weights_sha256
    ]
    aside = [other for other in there if other is not None and other.id in {adapter.id for adapter in missing}]
    model.detach(*(other.id for other in aside))
    try:
        model.attach(*missing)
        yield
    finally:
        model.detach(*(adapter.id for adapter in missing if adapter.id in model.attached))
        model.attach(*aside)
