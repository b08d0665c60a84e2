"""Whether what was accepted is what an adapter should be."""

import re
from pathlib import Path

import torch
import yaml

from adaptkit.composition import AdapterId
from adaptkit.format.spec import MAX_WEIGHTS_BYTES, WEIGHTS_FILE
from adaptkit.model import AdaptedModel
from adaptkit.storage import Adapter, load_adapter
from adaptkit.terminal.plain_text import printable
from fuzz.outcome import Unsound
from fuzz.watch import SCRATCH

TEXTS = ["Mbuzi anakula majani."]
_HTML = re.compile(r"<[A-Za-z/!?]")


def require(holds: bool, message: str) -> None:
    """Raise `Unsound` unless it holds."""
    if not holds:
        raise Unsound(message)


def check_adapter(adapter: Adapter, weights: int | None = None) -> None:
    """A sound adapter: finite tensors of the file's size, an id, a card, and the same once saved and read again."""
    require(str(AdapterId.parse(adapter.id)) == adapter.id, f"its id is {adapter.id!r}")
    n_bytes = 0
    for name, tensor in adapter.tensors.items():
        require(bool(tensor.isfinite().all()), f"tensor {name} is not finite")
        require(tensor.dtype in (torch.float32, torch.float16, torch.bfloat16), f"tensor {name} is {tensor.dtype}")
        n_bytes += tensor.numel() * tensor.element_size()
    require(n_bytes <= (MAX_WEIGHTS_BYTES if weights is None else weights), f"{n_bytes:,} bytes of tensors")
    require(printable(repr(adapter)) == repr(adapter), "its repr steers the terminal")
    again = load_adapter(adapter.save(SCRATCH / "again", overwrite=True))
    for fact in ("kind", "name", "language", "config", "origin", "below", "probes", "card"):
        require(getattr(again, fact) == getattr(adapter, fact), f"saved and read again, its {fact} differs")
    require(list(again.tensors) == list(adapter.tensors), "saved and read again, it has other tensors")
    for name, tensor in adapter.tensors.items():
        require(torch.equal(again.tensors[name], tensor), f"saved and read again, tensor {name} differs")


def check_card(adapter: Adapter) -> None:
    """A card of one front matter and one title, without HTML and without controls."""
    text = adapter.render_card()
    require(printable(text) == text, "the card steers the terminal")
    require(text.startswith("---\n"), "the card does not begin with its front matter")
    head, _, body = text[4:].partition("\n---\n")
    facts = yaml.safe_load(head)
    known = {
        "library_name", "base_model", "language", "license", "license_name", "tags", "datasets", "pipeline_tag",
        "metrics", "model-index",
    }  # fmt: skip
    require(isinstance(facts, dict) and facts.keys() <= known, f"the front matter says {facts!r:.200}")
    require(
        facts["library_name"] == "adaptkit" and "adaptkit" in facts["tags"], "the front matter names another library"
    )
    outside = "".join(re.split(r"(?ms)^```.*?^```$", body))
    require(not _HTML.search(outside), "the card holds HTML")
    titles = [line for line in outside.splitlines() if line.startswith("# ")]
    require(titles == [f"# {adapter.id}"], f"the card has the titles {titles!r:.200}")


def check_untouched(model: AdaptedModel, before: torch.Tensor) -> None:
    """A model that keeps nothing of what was tried on it."""
    require(model.attached == (), f"attached is {model.attached}")
    require(torch.equal(model.encode(TEXTS), before), "the model gives other outputs than before")


def weights_size(folder: Path) -> int:
    """Size of the weight file in bytes."""
    return (folder / WEIGHTS_FILE).stat().st_size
