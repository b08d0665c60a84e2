"""A stack of LoRAs written as one folder for plain `PeftModel.from_pretrained`, which servers read too."""

from os import PathLike
from pathlib import Path

from adaptkit.errors import ConfigError
from adaptkit.format.transformers_classes import ForClass
from adaptkit.interchange.peft_export import export_peft, warn_of_prefix
from adaptkit.model import AdaptedModel, StackLike
from adaptkit.terminal.asking import as_typed
from adaptkit.weights.stack_sum import one_lora


def export_peft_stack(
    model: AdaptedModel,
    stack: StackLike,
    folder: str | PathLike[str],
    *,
    for_class: ForClass = "AutoModel",
    without_head: bool = False,
) -> Path:
    """Write the sum of a stack of LoRAs, or of averages of them, as one LoRA that peft loads; the sum is exact.

    vLLM, SGLang, LoRAX, llama.cpp and others that serve peft's LoRAs serve the stack then. Its rank is the sum of the
    ranks, the same in every layer; a server's bound on ranks must allow it. `for_class` as in `export_peft`; for
    `AutoModel`, the folder is an adapter's of ours too. A head on top is left out with `without_head`.

    Raises:
        NotConvertible: An adapter in the stack that is no LoRA alone, by its name; or no such class for this backbone.
        ConfigError: The stack has a head or is empty, the class is not known, or something is in the folder.
        UnknownAdapter: The stack names an adapter that is not attached.
    """
    pinned = model.pinned(stack)
    pinned.require_own_vocabulary("a folder of peft")
    if pinned.head is not None and not without_head:
        raise ConfigError(
            f"the stack {pinned.stack} has a head on top, which peft has no place for. Write it without with "
            f"{as_typed(without_head=True)}; or serve the whole stack: adaptkit.as_pipeline, adaptkit.export_onnx."
        )
    warn_of_prefix(None if pinned.head is None else pinned.head[1], str(pinned.stack))
    return export_peft(one_lora(model, pinned), folder, for_class=for_class)
