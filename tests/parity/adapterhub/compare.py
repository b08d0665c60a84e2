"""Import what `record_folders.py` wrote for the embedded backbone, and print the greatest difference of each adapter.

python -m tests.parity.adapterhub.compare OUT
"""

import json
import sys
from pathlib import Path

import torch
from torch import Tensor

import adaptkit
from adaptkit.model import AdaptedModel, StackLike
from tests.parity.adapterhub.families import EMBEDDED_INPUTS


def states_of(model: AdaptedModel, inputs: list[list[int]], stack: StackLike = None) -> Tensor:
    """Hidden states of the real tokens of all inputs, one after the other. Shape: (tokens, hidden_width)."""
    ids, mask = model.backbone.pad(inputs)
    with torch.no_grad(), model.active(stack):
        states: Tensor = model(ids, mask)[mask.bool()]
    return states


def recorded_states(outputs: dict[str, list[list[list[float]]]], name: str) -> Tensor:
    """The same as they were recorded."""
    return torch.cat([torch.tensor(sentence) for sentence in outputs[name]])


def main(folder: Path) -> None:
    outputs = json.loads((folder / "recorded.json").read_text(encoding="utf-8"))["outputs"]
    model = adaptkit.load_model()
    bare = recorded_states(outputs, "bare")
    for name in outputs:
        if name == "bare":
            found = states_of(model, EMBEDDED_INPUTS)
        else:
            adapter = adaptkit.import_adapterhub(folder / name, lang="sw", backbone=model)
            model.attach(adapter)
            found = states_of(model, EMBEDDED_INPUTS, adapter)
            model.detach(adapter.id)
        expected = recorded_states(outputs, name)
        difference, moved = (float((found - other).abs().max()) for other in (expected, bare))
        print(f"{name:16} greatest difference {difference:.1e}, greatest change by the adapter {moved:.2g}")  # noqa: T201


if __name__ == "__main__":
    main(Path(sys.argv[1]))
