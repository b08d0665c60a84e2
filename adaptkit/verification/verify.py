"""Check an adapter folder step by step, and say what each step proved."""

from collections.abc import Iterator
from os import PathLike

from adaptkit.model import AdaptedModel, load_model
from adaptkit.storage import load_adapter


def verify(folder: str | PathLike[str], *, backbone: str | AdaptedModel | None = None) -> Iterator[str]:
    """Yield a sentence for each check that holds; the first that does not is raised.

    Raises:
        AdapterFileError: The folder cannot be read safely.
        CompatibilityError: The adapter is not for this backbone.
    """
    adapter = load_adapter(folder)
    yield f"structure: {len(adapter.tensors)} tensors, {adapter.n_parameters:,} numbers, all finite"
    model = backbone if isinstance(backbone, AdaptedModel) else load_model(backbone)
    model.attach(adapter)
    model.detach(adapter.id)
    verdict = adapter.origin.fingerprint.compare(model.backbone.fingerprint)
    yield f"tokenizer: the same ids as in training ({adapter.origin.tokenizer_sha256[:12]})"
    yield f"backbone: {verdict} ({model.backbone.name}, fingerprint {model.backbone.fingerprint.id})"
    yield f"outputs: {len(adapter.probes)} probes give the recorded vectors"
