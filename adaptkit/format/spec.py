"""The constants of the adapter folder: names, version, bounds. docs/file-format.md says why."""

READABLE_VERSIONS = (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12)
"""Version 2 adds heads, fusion and adapters that hide the top block, version 3 decoders, version 4 the method
`bottleneck_madx` and what a card says of text, hardware and intervals, version 5 heads for longer answers and
what a card says of examples that were cut or left out, version 6 adapters for several languages, version 7 what a card
says of the sources of a mix of texts, version 8 pieces of text with rows of their own, version 9 encoder-decoders,
and backbones of narrow embeddings or shared blocks, version 10 what a card says of held-out scores, version 11
glossaries, version 12 heads with a text prefix of their own; an adapter is written as the lowest that can hold it."""

WEIGHTS_FILE = "adapter_model.safetensors"
CONFIG_FILE = "adapter_config.json"
RECORD_FILE = "adaptkit.json"
CARD_FILE = "README.md"

PEFT_PREFIX = "base_model.model."
"""Start of every tensor name in a pure LoRA folder, as peft wants it."""
OWN_PREFIX = "adaptkit."
"""Start of every tensor name in any other folder."""
OWN_PEFT_TYPE = "ADAPTKIT"
"""A `peft_type` that peft does not know, so that it cannot load half of an adapter."""

INDEX_FILE = "index.json"
"""In the top folder of a zoo: every file with its hash."""
SIGNATURE_FILE = "adaptkit.sig"
"""Beside the files of an adapter or an index: an SSH signature of their hashes."""
INDEX_VERSION = 2
"""Version 2 has all that a list shows of an adapter. Version 1 is read and checked, but no list is made from it."""

DTYPES = ("F32", "F16", "BF16")

MAX_JSON_BYTES = 4 * 2**20
MAX_JSON_DEPTH = 16
MAX_HEADER_BYTES = 8 * 2**20
MAX_WEIGHTS_BYTES = 2 * 2**30
MAX_INTEGER = 2**64
"""No count and no seed lies above this."""
MAX_BELOW = 16
MAX_LANGUAGES = 256
MAX_PROBES = 16
MAX_PROBE_TOKENS = 128
MAX_CARD_BYTES = 4 * 2**20
MAX_SIGNATURE_BYTES = 2**16
ADAPTER_FILES = {
    RECORD_FILE: MAX_JSON_BYTES,
    CONFIG_FILE: MAX_JSON_BYTES,
    CARD_FILE: MAX_CARD_BYTES,
    WEIGHTS_FILE: MAX_WEIGHTS_BYTES,
}
"""What an adapter's folder holds, with the most bytes of each; the largest is last."""
OPTIONAL_FILES = {SIGNATURE_FILE: MAX_SIGNATURE_BYTES}
"""What it may hold besides."""
MAX_INDEX_BYTES = 64 * 2**20
MAX_MEMBERS = 20_000
"""Files of a zoo or an archive."""
MAX_PATH_LENGTH = 512
MAX_FOLDERS_DEEP = 32
"""How deep below its top folder a zoo may have adapters."""
MAX_TIMES_SMALLER = 20
"""How much smaller a packed file may be, beyond 4 MiB."""
