"""The tokenizer of a GGUF file, made of its pieces; it cuts texts into words as its family was trained."""

from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors
from tokenizers.pre_tokenizers import PreTokenizer
from transformers import AutoTokenizer, PreTrainedTokenizerBase, PreTrainedTokenizerFast

from adaptkit.backbones.gguf_file import GgufFile
from adaptkit.errors import CorruptBackbone, UnsupportedArchitecture

_KIND, _WORDS = "tokenizer.ggml.model", "tokenizer.ggml.pre"
_BYTE_LEVEL, _SENTENCEPIECE = "gpt2", "llama"
_CONTROL, _USER_DEFINED = 3, 4
_ROLES = {"bos": "bos", "eos": "eos", "unk": "unknown", "pad": "padding"}
_AROUND = r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
_SHORT_FORMS = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+"
_LLAMA_3 = _SHORT_FORMS + r"|\p{N}{1,3}" + _AROUND
_QWEN_2 = _SHORT_FORMS + r"|\p{N}" + _AROUND


def _bytes(pattern: str) -> PreTokenizer:
    parts = [
        pre_tokenizers.Split(Regex(pattern), behavior="isolated"),
        pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
    ]
    return pre_tokenizers.Sequence(parts)


def _digits() -> PreTokenizer:
    parts = [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    return pre_tokenizers.Sequence(parts)


_CUTS: Mapping[str, PreTokenizer] = {
    "gpt-2": pre_tokenizers.ByteLevel(add_prefix_space=False),
    "smollm": _digits(),
    "llama-bpe": _bytes(_LLAMA_3),
    "qwen2": _bytes(_QWEN_2),
}
"""How byte-level tokenizers cut a text into words, by the name that llama.cpp has for it."""
_SAME = {"gpt2": "gpt-2", "llama3": "llama-bpe", "llama-v3": "llama-bpe", "deepseek-r1-qwen": "qwen2"}
_COMPOSED = frozenset({"qwen2"})
"""Tokenizers that read letters with their marks composed (NFC)."""
_WHOLE_WORDS = frozenset({"llama-bpe"})
"""Tokenizers in which a word that is a piece is not merged."""
_OPENED = {"llama-bpe": "<|begin_of_text|>"}
"""Tokenizers whose texts open with a token where the file says nothing, as in llama.cpp, and that token."""


def tokenizer_of(file: GgufFile, most_tokens: int) -> PreTrainedTokenizerBase:
    """The tokenizer, for texts of at most so many tokens.

    Raises:
        UnsupportedArchitecture: One of a kind, or one that cuts words in a way, that is not known here.
        CorruptBackbone: Its pieces contradict each other.
    """
    cut = _cut_of(file)
    try:
        made = _sentencepiece(file) if cut is None else _byte_level(file, cut)
    except MemoryError:
        raise
    except Exception as error:  # what the Rust engine raises is no narrower
        raise CorruptBackbone(
            f"no tokenizer can be made of {file.path.name} ({type(error).__name__}: {str(error)[:300]}). Fetch it "
            "again."
        ) from error
    made.model_max_length = most_tokens
    return made


def _cut_of(file: GgufFile) -> str | None:
    """The name of how words are cut; None where that is part of the pieces."""
    kind = str(file.fields.get(_KIND, "nothing"))
    if kind == _SENTENCEPIECE:
        return None
    named = str(file.fields.get(_WORDS, "nothing"))
    cut = _SAME.get(named, named)
    if kind != _BYTE_LEVEL or cut not in _CUTS:
        raise UnsupportedArchitecture(
            f"tokenizer {kind!r}, words cut as {named!r} (of a GGUF file)",
            (_SENTENCEPIECE, *(f"{_BYTE_LEVEL} with {name}" for name in (*_CUTS, *_SAME))),
        )
    return cut


def _sentencepiece(file: GgufFile) -> PreTrainedTokenizerBase:
    """By transformers' own reader, which gives such pieces their merges back."""
    # Alone in a folder, as from_pretrained also reads what lies beside the file.
    with TemporaryDirectory() as folder:
        alone = Path(folder, "alone.gguf")
        alone.symlink_to(file.path.resolve())
        made: PreTrainedTokenizerBase = AutoTokenizer.from_pretrained(
            folder, gguf_file=alone.name, trust_remote_code=False, local_files_only=True
        )
    made.name_or_path = str(file.path.parent)
    return made


def _byte_level(file: GgufFile, cut: str) -> PreTrainedTokenizerBase:
    fields = file.fields
    tokens: list[str] = fields["tokenizer.ggml.tokens"]
    merges = [tuple(merge.split(" ")) for merge in fields["tokenizer.ggml.merges"]]
    vocabulary = {token: number for number, token in enumerate(tokens)}
    engine = Tokenizer(models.BPE(vocabulary, merges, ignore_merges=cut in _WHOLE_WORDS))
    engine.pre_tokenizer = _CUTS[cut]
    engine.decoder = decoders.ByteLevel()
    if cut in _COMPOSED:
        engine.normalizer = normalizers.NFC()
    whole = list(zip(tokens, fields.get("tokenizer.ggml.token_type", []), strict=False))
    engine.add_special_tokens([AddedToken(token, normalized=False) for token, kind in whole if kind == _CONTROL])
    engine.add_tokens([AddedToken(token, normalized=False) for token, kind in whole if kind == _USER_DEFINED])
    ids = {role: fields.get(f"tokenizer.ggml.{name}_token_id") for role, name in _ROLES.items()}
    roles = {f"{role}_token": tokens[number] for role, number in ids.items() if number is not None}
    opens = fields.get("tokenizer.ggml.add_bos_token", cut in _OPENED)
    if opens and "bos_token" not in roles:
        roles["bos_token"] = _opening_of(file, cut, vocabulary)
    opening = [roles["bos_token"]] if opens else []
    closing = [roles["eos_token"]] if fields.get("tokenizer.ggml.add_eos_token") else []
    if opening or closing:
        engine.post_processor = processors.TemplateProcessing(
            single=[*opening, "$A", *closing],
            pair=[*opening, "$A", *closing, *(f"{token}:1" for token in opening), "$B:1", *closing],
            special_tokens=[(token, tokens.index(token)) for token in {*opening, *closing}],
        )
    made: PreTrainedTokenizerBase = PreTrainedTokenizerFast(tokenizer_object=engine, **roles)  # type: ignore[no-untyped-call]
    made.chat_template = fields.get("tokenizer.chat_template")
    return made


def _opening_of(file: GgufFile, cut: str, vocabulary: Mapping[str, int]) -> str:
    """The token that texts open with, where the file does not say which: that of its kind of tokenizer.

    Raises:
        CorruptBackbone: It is not known either, or not in the vocabulary.
    """
    token = _OPENED.get(cut)
    if token is None or token not in vocabulary:
        raise CorruptBackbone(
            f"{file.path.name} says that each text opens with a token, and not with which: it lacks "
            "tokenizer.ggml.bos_token_id. Fetch the file again, or one from another converter."
        )
    return token
