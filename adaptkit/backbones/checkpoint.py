"""What a backbone is loaded from, wherever it lies: a transformers folder, a hub id or a GGUF file."""

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path

import torch
from torch import nn
from transformers import AutoModel, AutoTokenizer, PreTrainedConfig, PreTrainedModel, PreTrainedTokenizerBase

from adaptkit.backbones.config_file import read_config, read_object, sound
from adaptkit.backbones.fingerprint import is_sampled
from adaptkit.backbones.gguf_checkpoint import facts_of, gguf_tensors
from adaptkit.backbones.gguf_family import config_of
from adaptkit.backbones.gguf_file import GgufFile, is_gguf
from adaptkit.backbones.gguf_tokenizer import tokenizer_of
from adaptkit.backbones.sentence_folder import SentenceFolder, read_sentence_folder
from adaptkit.backbones.stored_tensors import MARKER, StoredTensor, incomplete, require_finite, stored_tensors_of
from adaptkit.backbones.streamed import empty_network, load_resident
from adaptkit.backbones.text_ends import read_text_ends
from adaptkit.errors import CorruptBackbone
from adaptkit.format.architectures import architecture_of
from adaptkit.format.published import known_text_prefix

_END_OF_TURN = "tokenizer.ggml.eot_token_id"


class Checkpoint:
    """A local transformers folder or a hub id."""

    def __init__(self, source: str) -> None:
        self.source = source

    @cached_property
    def facts(self) -> Mapping[str, str]:
        """What we wrote beside a backbone ourselves."""
        marker = Path(self.source) / MARKER
        if not marker.is_file():
            return {}
        facts = read_object(marker)
        if not all(isinstance(fact, str) for fact in facts.values()):
            raise CorruptBackbone(f"{marker} holds something else than texts. Write the backbone's folder again.")
        return facts

    @cached_property
    def config(self) -> PreTrainedConfig:
        """Its config, of an architecture that has a row."""
        return read_config(self.source)

    @cached_property
    def tokenizer(self) -> PreTrainedTokenizerBase:
        """Its tokenizer."""
        found: PreTrainedTokenizerBase = AutoTokenizer.from_pretrained(self.source, trust_remote_code=False)
        return found

    @cached_property
    def sentences(self) -> SentenceFolder:
        """How it gives sentence vectors."""
        return read_sentence_folder(self.source, self.config.hidden_size, self.tokenizer)

    @cached_property
    def text_ends(self) -> tuple[int, ...]:
        """Token ids at which it ends a text, besides those of its config; none where it writes no text."""
        return read_text_ends(self.source) if architecture_of(self.config.model_type).generates else ()

    @property
    def text_prefix(self) -> str:
        """What stands before every text: as we wrote it ourselves, as the folder says, or as is known of its hub id."""
        prompt = self.sentences.prompt
        return self.facts.get("text_prefix", known_text_prefix(self.source) if prompt is None else prompt)

    @cached_property
    def tensors(self) -> Mapping[str, StoredTensor]:
        """Where its tensors lie, under the names that the bare model gives them."""
        former = architecture_of(self.config.model_type).former_names
        return stored_tensors_of(self.source, self.empty.base_model_prefix, former)

    @cached_property
    def empty(self) -> PreTrainedModel:
        """Its modules, without memory for their weights."""
        with sound(self.source, ValueError):
            return empty_network(self.config)

    def whole(self, dtype: torch.dtype, device: torch.device) -> PreTrainedModel:
        """Its network with all weights as they are, in one type.

        Raises:
            CorruptBackbone: A weight is missing, or is not a number.
        """
        network: PreTrainedModel
        network, found = AutoModel.from_pretrained(
            self.source,
            config=self.config,
            dtype=dtype,
            trust_remote_code=False,
            use_safetensors=True,
            output_loading_info=True,
            **architecture_of(self.config.model_type).bare_options,
        )
        if missing := sorted(name for name in found["missing_keys"] if is_sampled(name)):
            raise CorruptBackbone(incomplete(missing))
        for name, weight in network.named_parameters():
            require_finite(name, weight.detach())
        nn.Module.to(network, device)
        network.train(mode=False)
        network.requires_grad_(requires_grad=False)
        return network


class GgufCheckpoint(Checkpoint):
    """A GGUF file: sizes, pieces and weights in one."""

    def __init__(self, source: str) -> None:
        super().__init__(source)
        self._file = GgufFile.of(Path(source))

    @cached_property
    def facts(self) -> Mapping[str, str]:
        """Its name and release."""
        return facts_of(self._file)

    @cached_property
    def config(self) -> PreTrainedConfig:
        """Its config, made of the sizes that it states."""
        return config_of(self._file)

    @cached_property
    def tokenizer(self) -> PreTrainedTokenizerBase:
        """Its tokenizer, made of its pieces."""
        return tokenizer_of(self._file, self.config.max_position_embeddings)

    @cached_property
    def sentences(self) -> SentenceFolder:
        """A mean over tokens: it says nothing of sentence vectors."""
        return SentenceFolder()

    @cached_property
    def text_ends(self) -> tuple[int, ...]:
        """The token at which a turn ends, which chat models have besides the end of the text."""
        told = self._file.fields.get(_END_OF_TURN)
        return (told,) if type(told) is int else ()

    @cached_property
    def tensors(self) -> Mapping[str, StoredTensor]:
        """Where its tensors lie, under the names that the bare model gives them."""
        return gguf_tensors(self._file, self.empty)

    def whole(self, dtype: torch.dtype, device: torch.device) -> PreTrainedModel:
        """Its network with all weights widened to one type."""
        return load_resident(self.tensors, self.config, dtype, device)


def checkpoint_of(source: str) -> Checkpoint:
    """What lies at a name: a GGUF file, or a folder or hub id."""
    return GgufCheckpoint(source) if is_gguf(source) else Checkpoint(source)
