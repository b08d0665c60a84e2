"""A backbone as one ONNX model that serves every LoRA for it."""

from os import PathLike
from pathlib import Path

from adaptkit.format.folder import whole_folder
from adaptkit.interchange.onnx import OnnxFolder
from adaptkit.interchange.onnx_file import MODEL_FILE, opened, require_packages, require_whole
from adaptkit.interchange.onnx_inputs import graph_of
from adaptkit.interchange.onnx_outputs import STATES, VECTORS, largest_error, require_close
from adaptkit.model import AdaptedModel


def export_onnx_backbone(model: AdaptedModel, folder: str | PathLike[str]) -> OnnxFolder:
    """Write the backbone as `model.onnx`, with the weights of adapters as inputs, and with tokenizer and config.

    `export_onnx_adapter` writes adapters beside it. Inputs are `input_ids` and `attention_mask`, int64 (batch, seq);
    what else it takes may be left out, and is then no adapter. Outputs are `last_hidden_state` (batch, seq,
    hidden_width), `sentence_embedding` (batch, width), and for a task `logits` (batch, outputs) or `token_logits`
    (batch, seq, outputs); float32. Ranks are free. The file's metadata says which prefix texts need. It is run with
    onnxruntime before it is put in place, and compared. Above 1.5 GB, the weights are in a file beside it.

    Raises:
        NotConvertible: The backbone is not held in 32 bits as a whole, or onnxruntime gives other outputs.
        ConfigError: The folder exists, or a package is not installed.
    """
    require_packages()
    require_whole(model.backbone)
    backbone = model.backbone
    with whole_folder(Path(folder)) as place:
        program = graph_of(model)
        program.model.metadata_props.update(
            {
                "backbone": backbone.name,
                "text_prefix": backbone.text_prefix,
                "max_length": str(backbone.longest_sentence),
            }
        )
        program.save(place / MODEL_FILE)
        backbone.network.config.save_pretrained(place)
        backbone.tokenizer.save_pretrained(place)
        bare, names = model.pinned(None), {name: name for name in (STATES, VECTORS)}
        error = largest_error(model, bare, opened(place / MODEL_FILE).run, names)
        require_close(error)
    return OnnxFolder(Path(folder), error)
