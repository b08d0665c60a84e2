"""Lets AdapterHub's `adapters` save small adapters of every sort into `folders/`, with the hidden states they give.

`record.py` says how to make the environment. From the root of the repository:

    ENV/bin/python -m tests.parity.adapterhub.record_folders

writes `folders/`, which `tests/parity/test_adapterhub_import.py` imports. Adapters on the embedded backbone are larger,
and are not committed:

    python -c "import adaptkit; adaptkit.load_model().backbone.save('E5')"
    ENV/bin/python -m tests.parity.adapterhub.record_folders --backbone E5 --output OUT
    python -m tests.parity.adapterhub.compare OUT

Weights come from `formula.py` and `families.py`; a change there needs a new recording.
"""

import argparse
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import adapters  # type: ignore[import-not-found]
import torch
import transformers
from adapters.composition import Stack  # type: ignore[import-not-found]
from safetensors.torch import load_file, save_file

from tests.parity.adapterhub.families import EMBEDDED_INPUTS, configured, fill, network_of
from tests.parity.adapterhub.formula import INPUTS, values

FOLDERS = Path(__file__).with_name("folders")
_ALL_LORA = {"attn_matrices": ["q", "k", "v"], "intermediate_lora": True, "output_lora": True}
_BOTH = {"mh_adapter": True, "reduction_factor": 4}
_BEFORE_ONLY = {"original_ln_after": False, "residual_before_ln": False}
CASES: dict[str, tuple[str, Callable[[], Any]]] = {
    "seq_bn": ("bert", lambda: adapters.SeqBnConfig(reduction_factor=4)),
    "seq_bn_inv": ("bert", lambda: adapters.SeqBnInvConfig(reduction_factor=2)),
    "seq_bn_narrow_inv": (
        "bert",
        lambda: adapters.SeqBnInvConfig(
            **_BOTH, non_linearity="gelu", inv_adapter_reduction_factor=3.0, leave_out=[0], dropout=0.3
        ),
    ),
    "seq_bn_swish": (
        "bert",
        lambda: adapters.SeqBnConfig(mh_adapter=True, reduction_factor=5.5, non_linearity="swish"),
    ),
    "seq_bn_widths": ("bert", lambda: adapters.SeqBnConfig(reduction_factor={"1": 2, "default": 8})),
    "seq_bn_upwards": ("bert", lambda: adapters.SeqBnConfig(reduction_factor=0.8)),
    "seq_bn_scaled": ("bert", lambda: adapters.SeqBnConfig(reduction_factor=4, scaling=0.5)),
    "bn_after_norm": (
        "bert",
        lambda: adapters.SeqBnConfig(**{**_BOTH, "reduction_factor": {"0": 2.2, "default": 9}}, **_BEFORE_ONLY),
    ),
    "lora": ("bert", lambda: adapters.LoRAConfig(r=4, alpha=6)),
    "lora_everywhere": ("bert", lambda: adapters.LoRAConfig(r=3, alpha=5, leave_out=[0], dropout=0.2, **_ALL_LORA)),
    "pickled": ("bert", lambda: adapters.SeqBnInvConfig(reduction_factor=8)),
    "xlmr_seq_bn_inv": ("xlm-roberta", lambda: adapters.SeqBnInvConfig(reduction_factor=4)),
    "xlmr_lora": ("xlm-roberta", lambda: adapters.LoRAConfig(r=2, alpha=3, **_ALL_LORA)),
    "roberta_seq_bn_inv": ("roberta", lambda: adapters.SeqBnInvConfig(mh_adapter=True)),
    "distilbert_seq_bn_inv": ("distilbert", lambda: adapters.SeqBnInvConfig(**_BOTH)),
    "distilbert_lora": ("distilbert", lambda: adapters.LoRAConfig(r=2, alpha=3, **_ALL_LORA)),
    "deberta_seq_bn_inv": ("deberta-v2", lambda: adapters.SeqBnInvConfig(**_BOTH)),
    "deberta_lora": ("deberta-v2", lambda: adapters.LoRAConfig(r=2, alpha=3, **_ALL_LORA)),
}
EMBEDDED_CASES: dict[str, Callable[[], Any]] = {
    "e5_seq_bn": lambda: adapters.SeqBnConfig(),
    "e5_seq_bn_inv": lambda: adapters.SeqBnInvConfig(reduction_factor=2),
    "e5_seq_bn_both": lambda: adapters.SeqBnInvConfig(mh_adapter=True, non_linearity="gelu"),
    "e5_lora": lambda: adapters.LoRAConfig(r=8, alpha=16, **_ALL_LORA),
}
_OLD_NAMES = {".output.adapters.": ".output.layer_text_lang_adapters.", "invertible_ad": "invertible_lang_ad"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--backbone", help="a transformers folder of the embedded backbone")
    parser.add_argument("--output", type=Path, default=FOLDERS)
    options = parser.parse_args()
    if options.backbone and options.output == FOLDERS:
        parser.error("--backbone needs --output")
    if options.output == FOLDERS:
        shutil.rmtree(FOLDERS, ignore_errors=True)
    options.output.mkdir(parents=True)
    outputs = _of_embedded(options.backbone, options.output) if options.backbone else _of_tiny(options.output)
    versions = {
        "adapters": adapters.__version__,
        "transformers": transformers.__version__,
        "torch": torch.__version__.partition("+")[0],
    }
    # One line an output.
    lines = ",\n".join(f"{json.dumps(name)}: {json.dumps(states)}" for name, states in outputs.items())
    (options.output / "recorded.json").write_text(
        f'{{"versions": {json.dumps(versions)},\n"outputs": {{\n{lines}\n}}}}\n', encoding="utf-8"
    )


def _of_tiny(output: Path) -> dict[str, Any]:
    outputs = {}
    for name, (family, config) in CASES.items():
        network = _with_head(name) if name == "xlmr_seq_bn_inv" else network_of(family)
        outputs[f"bare {family}"] = _states(network, INPUTS)
        _add(network, name, config())
        network.save_adapter(str(output / name), name, use_safetensors=name != "pickled")
        outputs[name] = _states(network, INPUTS, name)
    network = network_of("bert")
    for name in ("seq_bn_inv", "seq_bn", "seq_bn_swish"):
        _add(network, name, CASES[name][1]())
    outputs["seq_bn_inv > seq_bn"] = _states(network, INPUTS, Stack("seq_bn_inv", "seq_bn"))
    outputs["seq_bn_inv > seq_bn_swish > seq_bn"] = _states(
        network, INPUTS, Stack("seq_bn_inv", "seq_bn_swish", "seq_bn")
    )
    outputs["in_old_words"] = _in_old_words(output / "in_old_words", like=output / "seq_bn_inv")
    return outputs


def _of_embedded(backbone: str, output: Path) -> dict[str, Any]:
    outputs = {}
    for name, config in EMBEDDED_CASES.items():
        network: Any = transformers.AutoModel.from_pretrained(backbone, add_pooling_layer=False).eval()
        outputs["bare"] = _states(network, EMBEDDED_INPUTS)
        _add(network, name, config(), size=0.05)
        network.save_adapter(str(output / name), name, use_safetensors=True)
        outputs[name] = _states(network, EMBEDDED_INPUTS, name)
    return outputs


def _with_head(name: str) -> Any:  # noqa: ANN401 - made by adapters
    network = adapters.XLMRobertaAdapterModel(configured("xlm-roberta"))
    network.add_masked_lm_head(name)
    # The projection is as large as the vocabulary, and nobody reads it.
    network.heads[name][-1] = torch.nn.Linear(32, 1)
    fill(network.roberta)
    fill(network.heads)
    return network.eval()


@torch.no_grad()
def _add(network: Any, name: str, config: object, *, size: float = 0.3) -> None:  # noqa: ANN401 - patched by adapters
    if not hasattr(network, "adapters_config"):
        adapters.init(network)
    network.add_adapter(name, config=config)
    network.eval()
    for path, parameter in network.base_model.named_parameters():
        if any(f"{kind}.{name}." in path for kind in ("adapters", "loras")):
            parameter.copy_(values(path, parameter.shape, size=size))


@torch.no_grad()
def _states(network: Any, inputs: list[list[int]], setup: object = None) -> list[list[list[float]]]:  # noqa: ANN401
    """Hidden states of the real tokens of each input, to 8 significant digits."""
    if hasattr(network, "set_active_adapters"):
        network.set_active_adapters(setup)
    longest = max(map(len, inputs))
    ids = torch.tensor([[*row, *[1] * (longest - len(row))] for row in inputs])
    mask = torch.tensor([[1] * len(row) + [0] * (longest - len(row)) for row in inputs])
    states = network.base_model(input_ids=ids, attention_mask=mask).last_hidden_state
    return [
        [[float(f"{number:.8g}") for number in token] for token in sentence[: len(row)].tolist()]
        for sentence, row in zip(states, inputs, strict=True)
    ]


def _in_old_words(folder: Path, *, like: Path) -> list[list[list[float]]]:
    """An adapter as the first versions named its parts, and what today's version computes with it."""
    folder.mkdir()
    tensors = load_file(like / "adapter.safetensors")
    for new, old in _OLD_NAMES.items():
        tensors = {name.replace(new, old): tensor for name, tensor in tensors.items()}
    save_file({f"bert.{name}": tensor for name, tensor in tensors.items()}, folder / "adapter.safetensors")
    config = json.loads((like / "adapter_config.json").read_text())
    kept = ("original_ln_before", "original_ln_after", "residual_before_ln", "mh_adapter", "output_adapter")
    inner = {name: config["config"][name] for name in (*kept, "reduction_factor", "non_linearity", "leave_out")}
    inner["invertible_adapter"] = {"block_type": "nice", "non_linearity": "relu", "reduction_factor": 2}
    outer = {name: config[name] for name in ("model_type", "hidden_size", "name")}
    (folder / "adapter_config.json").write_text(json.dumps({**outer, "type": "text_lang", "config": inner}, indent=2))
    network = network_of("bert")
    adapters.init(network)
    network.load_adapter(str(folder), use_safetensors=True)
    return _states(network.eval(), INPUTS, config["name"])


if __name__ == "__main__":
    main()
