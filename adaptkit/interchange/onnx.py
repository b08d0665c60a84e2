"""A stack as an ONNX model, which is run without torch."""

import copy
import json
from dataclasses import dataclass
from os import PathLike
from pathlib import Path

from torch import Tensor, nn

from adaptkit.attaching import BoundNetwork
from adaptkit.backbones import Backbone
from adaptkit.backbones.headed import labelled
from adaptkit.format.folder import whole_folder
from adaptkit.interchange.onnx_file import MODEL_FILE, exported, opened, require_packages, require_whole
from adaptkit.interchange.onnx_outputs import LOGITS, STATES, VECTORS, answers, largest_error, require_close
from adaptkit.model import AdaptedModel, ResolvedStack, StackLike


@dataclass(frozen=True)
class OnnxFolder:
    """Where an ONNX model was written, and how far its outputs are at most from the stack's, on the probe inputs."""

    path: Path
    output_error: float


def export_onnx(model: AdaptedModel, stack: StackLike, folder: str | PathLike[str]) -> OnnxFolder:
    """Write a stack as `model.onnx`, with tokenizer and config, for any number of texts of any length.

    Inputs are `input_ids` and `attention_mask`, int64 (batch, seq). Outputs are `logits` where the stack has a head
    with weights, else `last_hidden_state` (batch, seq, hidden_width) and `sentence_embedding` (batch, width), as
    `model.encode` gives it; float32. Any method can be written but n-grams. The file's metadata says which prefix texts
    need, and the stack. It is run with onnxruntime before it is put in place, and compared. Above 1.5 GB, the weights
    are in a file beside it.

    Raises:
        NotConvertible: The backbone is not held in 32 bits as a whole, an adapter brings pieces of text of its own or
            looks at letters, the one on top writes text, or onnxruntime gives other outputs.
        ConfigError: The folder exists, or a package is not installed.
        UnknownAdapter: The stack names an adapter that is not attached.
    """
    require_packages()
    pinned = model.pinned(stack)
    pinned.require_own_vocabulary("an ONNX model beside its tokenizer")
    pinned.require_outputs("an ONNX model")
    pinned.require_states_alone("an ONNX model")
    require_whole(model.backbone)
    with whole_folder(Path(folder)) as place:
        module = _Outputs(model, pinned)
        program = exported(module, model.backbone, str(pinned.stack) or "the backbone", outputs=module.outputs)
        program.model.metadata_props.update(_facts(model.backbone, pinned))
        program.save(place / MODEL_FILE)
        labels = pinned.head[1].labels if pinned.head is not None else ()
        labelled(model.backbone.network.config, labels).save_pretrained(place)
        model.backbone.tokenizer.save_pretrained(place)
        names = {name: name for name in module.outputs}
        error = largest_error(model, pinned, opened(place / MODEL_FILE).run, names)
        require_close(error)
    return OnnxFolder(Path(folder), error)


class _Outputs(nn.Module):
    """The network with copies of the stack's layers in place, and what the file gives. Weights are shared."""

    def __init__(self, model: AdaptedModel, pinned: ResolvedStack) -> None:
        super().__init__()
        self.network = BoundNetwork(model.backbone, copy.deepcopy(dict(pinned.plan)))
        self.network.adapters.eval()
        self.head = copy.deepcopy(pinned.head[0]) if answers(pinned) and pinned.head is not None else None
        self.sentences = copy.deepcopy(model.sentences)
        self.outputs = (LOGITS,) if answers(pinned) else (STATES, VECTORS)
        self.eval()

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> tuple[Tensor, ...]:
        """What `outputs` name."""
        hidden: Tensor = self.network(input_ids, attention_mask)
        if self.head is not None:
            return (self.head(hidden, attention_mask),)
        return hidden, self.sentences(hidden, attention_mask)


def _facts(backbone: Backbone, pinned: ResolvedStack) -> dict[str, str]:
    """What whoever serves the file must know and the graph cannot say."""
    head = {} if pinned.head is None else {"task_type": pinned.head[1].task_type}
    labels = {"labels": json.dumps(pinned.head[1].labels)} if pinned.head is not None and pinned.head[1].labels else {}
    return {
        "backbone": backbone.name,
        "stack": str(pinned.stack),
        "text_prefix": backbone.reader(pinned.reading).text_prefix,
        "max_length": str(backbone.longest_sentence if pinned.head is None else backbone.max_length),
        **head,
        **labels,
    }
