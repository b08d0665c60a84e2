"""Check an adapter folder step by step, and say what each step proved."""

from collections.abc import Iterator
from os import PathLike
from pathlib import Path

from adaptkit.format.folder import Folder
from adaptkit.format.hashes import require_known
from adaptkit.model import AdaptedModel, load_model
from adaptkit.storage import Adapter, load_adapter
from adaptkit.storage.identity import compared


def verify(adapter: Adapter | str | PathLike[str], *, backbone: str | AdaptedModel | None = None) -> Iterator[str]:
    """Yield a sentence for each check of an adapter, or its folder, that holds; the first that does not is raised.

    Raises:
        AdapterFileError: The folder cannot be read safely, or holds a file that is not an adapter's.
        CompatibilityError: The adapter is not for this backbone.
    """
    if not isinstance(adapter, Adapter):
        files = Folder(Path(adapter))
        adapter = load_adapter(adapter)
        require_known(files)
    yield f"structure: {len(adapter.tensors)} tensors, {adapter.n_parameters:,} numbers, all finite"
    model = backbone if isinstance(backbone, AdaptedModel) else load_model(backbone)
    model.attach(adapter, replay=True)
    model.detach(adapter.id)
    verdict = compared(adapter.origin, model.backbone)
    yield f"tokenizer: the same ids as in training ({adapter.origin.tokenizer_sha256[:12]})"
    yield f"backbone: {verdict} ({model.backbone.name}, fingerprint {model.backbone.fingerprint.id})"
    yield f"outputs: {len(adapter.probes)} probes give the recorded vectors"
