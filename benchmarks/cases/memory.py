"""Memory and speed of backbones by precision and form of embeddings, each in a process of its own.

`python -m benchmarks.run memory [--backbone embedded|xlm-roberta-base|xlm-roberta-large|mdeberta-base|llama-1b]
[--sentences N] [--train-steps N] [--device cuda] [--only "4, paged;8, paged"]`. Backbones that are not at hand have
random weights of the real shape and the embedded one's tokenizer: they say nothing about quality and all about memory.
"""

import argparse
import shutil
import tempfile
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from transformers import DebertaV2Config, LlamaConfig, PreTrainedConfig, XLMRobertaConfig

from adaptkit.backbones import embedded
from adaptkit.backbones.streamed import empty_network
from benchmarks import swahili_news
from benchmarks.process import Failed, measured
from benchmarks.write_results import write_result

_BASE: dict[str, Any] = {"vocab_size": 250_037, "max_position_embeddings": 514, "type_vocab_size": 1, "pad_token_id": 1}
_LARGE: dict[str, Any] = {
    "hidden_size": 1024,
    "num_hidden_layers": 24,
    "num_attention_heads": 16,
    "intermediate_size": 4096,
}
_DEBERTA: dict[str, Any] = {
    "vocab_size": 251_000,
    "hidden_size": 768,
    "num_hidden_layers": 12,
    "num_attention_heads": 12,
    "intermediate_size": 3072,
    "relative_attention": True,
    "position_buckets": 256,
    "norm_rel_ebd": "layer_norm",
    "share_att_key": True,
    "pos_att_type": ["p2c", "c2p"],
    "position_biased_input": False,
    "type_vocab_size": 0,
    "pad_token_id": 1,
}
# Llama 3.2 1B, with as many token ids as the tokenizer at hand has.
_LLAMA: dict[str, Any] = {
    "vocab_size": 250_037,
    "hidden_size": 2048,
    "intermediate_size": 8192,
    "num_hidden_layers": 16,
    "num_attention_heads": 32,
    "num_key_value_heads": 8,
    "head_dim": 64,
    "max_position_embeddings": 8192,
    "tie_word_embeddings": True,
    "pad_token_id": 1,
}
SHAPES: dict[str, PreTrainedConfig] = {
    "xlm-roberta-base": XLMRobertaConfig(**_BASE),
    "xlm-roberta-large": XLMRobertaConfig(**_BASE, **_LARGE),
    "mdeberta-base": DebertaV2Config(**_DEBERTA),
    "llama-1b": LlamaConfig(**_LLAMA),
}
CONTESTANTS: dict[str, tuple[str, list[str]]] = {
    "transformers, fp32": ("transformers_memory", ["--bits=32"]),
    "transformers + bitsandbytes, 8": ("transformers_memory", ["--bits=8"]),
    "transformers + bitsandbytes, 4": ("transformers_memory", ["--bits=4"]),
    "32, resident": ("adaptkit_memory", ["--bits=32"]),
    "32, paged": ("adaptkit_memory", ["--bits=32", "--embeddings=paged"]),
    "16, resident": ("adaptkit_memory", ["--bits=16"]),
    "16, paged": ("adaptkit_memory", ["--bits=16", "--embeddings=paged"]),
    "8, paged": ("adaptkit_memory", ["--bits=8"]),
    "8, int8": ("adaptkit_memory", ["--bits=8", "--embeddings=int8"]),
    "4, paged": ("adaptkit_memory", ["--bits=4"]),
    "4, int8": ("adaptkit_memory", ["--bits=4", "--embeddings=int8"]),
    "4, nf4": ("adaptkit_memory", ["--bits=4", "--embeddings=nf4"]),
    "4, trimmed": ("adaptkit_memory", ["--bits=4", "--trimmed"]),
}


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--backbone", choices=["embedded", *SHAPES], default="embedded")
    parser.add_argument("--sentences", type=int, default=10_000)
    parser.add_argument("--train-steps", type=int, default=20)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--only", default=";".join(CONTESTANTS))
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        text = _sentences(options.sentences, Path(folder) / "voa.sw.txt")
        backbone = embedded.materialise()
        if options.backbone != "embedded":
            backbone = _random(SHAPES[options.backbone], Path(folder) / options.backbone)
        results = {}
        for name in options.only.split(";"):
            results[name] = _measure(name, backbone, text, options.device, options.train_steps)
            print(name, results[name], flush=True)
    print(write_result("memory", seeds=[0], config=vars(options), measured=results))


def _sentences(n_sentences: int, path: Path) -> Path:
    lines = swahili_news.lines()
    step = max(1, len(lines) // n_sentences)
    path.write_text("\n".join(lines[::step][:n_sentences]), encoding="utf-8")
    return path


def _random(config: PreTrainedConfig, folder: Path) -> Path:
    """A folder with random weights of a real shape."""
    config.save_pretrained(folder)
    torch.manual_seed(0)
    shapes = {name: weight.shape for name, weight in empty_network(config).named_parameters()}
    tensors = {
        name: torch.ones(shape) if name.lower().endswith("norm.weight") else 0.03 * torch.randn(shape)
        for name, shape in shapes.items()
    }
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    for name in ("tokenizer.json", "tokenizer_config.json"):
        shutil.copy(embedded.materialise() / name, folder)
    return folder


def _measure(name: str, backbone: Path, text: Path, device: str, train_steps: int) -> dict[str, Any]:
    module, chosen = CONTESTANTS[name]
    steps = [f"--train-steps={train_steps}"] if module == "adaptkit_memory" else []
    try:
        return measured(module, [f"--backbone={backbone}", f"--text={text}", *chosen, f"--device={device}", *steps])
    except Failed as error:
        return {"failed": str(error).splitlines()[-1:]}
