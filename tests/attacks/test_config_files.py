from pathlib import Path

import pytest

from adaptkit.errors import (
    AdapterFileError,
    LimitExceeded,
    MalformedConfig,
    TensorSetMismatch,
    TensorShapeMismatch,
    UnknownVersion,
)
from adaptkit.format.spec import CONFIG_FILE, READABLE_VERSIONS, RECORD_FILE
from adaptkit.storage import load_adapter
from tests.hostile import REMOVED, get, put

HUGE = 10**4000
NEXT = max(READABLE_VERSIONS) + 1


def assert_refused(folder: Path, error: type[AdapterFileError]) -> None:
    with pytest.raises(error) as caught:
        load_adapter(folder)
    assert type(caught.value) is error


@pytest.mark.parametrize("version", [0, NEXT, -1, "1", True, 1.0, None, [1], HUGE, REMOVED])
def test_an_unknown_version(folder: Path, version: object) -> None:
    put(folder, RECORD_FILE, "format_version", version)
    assert_refused(folder, UnknownVersion)


def test_the_version_is_read_before_anything_else(folder: Path) -> None:
    (folder / RECORD_FILE).write_text(f'{{"format_version": {NEXT}, "all of this": "is new"}}')
    assert_refused(folder, UnknownVersion)


JSON = {
    "empty": b"",
    "no JSON": b"{'a': 1}",
    "cut": b'{"format_version": 1, "kind": "lang',
    "a list": b"[]",
    "a number": b"1",
    "null": b"null",
    "two values": b"{} {}",
    "a repeated key": b'{"format_version": 1, "format_version": 1}',
    "a repeated key inside": b'{"format_version": 1, "card": {"licence": "a", "licence": "b"}}',
    "NaN": b'{"format_version": 1, "card": NaN}',
    "minus infinity": b'{"format_version": 1, "card": -Infinity}',
    "deep": b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "a little deep": b'{"format_version": 1, "peft_type": ' + b"[" * 900 + b"]" * 900 + b"}",
    "deep objects": b'{"a":' * 900 + b"1" + b"}" * 900,
    "no UTF-8": b'{"format_version": 1, "name": "\xff"}',
    "UTF-16": '{"format_version": 1}'.encode("utf-16"),
    "a byte order mark": b'\xef\xbb\xbf{"format_version": 1}',
    "half a surrogate pair": b'{"format_version": 1, "name": "\\ud800"}',
    "an endless number": b'{"format_version": ' + b"9" * 10_000 + b"}",
    "a NUL byte": b'{"format_version": 1}\0',
}


@pytest.mark.parametrize("name", [RECORD_FILE, CONFIG_FILE])
@pytest.mark.parametrize("content", JSON.values(), ids=JSON)
def test_a_file_that_is_no_sound_json(folder: Path, name: str, content: bytes) -> None:
    (folder / name).write_bytes(content)
    assert_refused(folder, MalformedConfig)


@pytest.mark.parametrize("name", [RECORD_FILE, CONFIG_FILE])
def test_an_unknown_field(folder: Path, name: str) -> None:
    put(folder, name, "trust_remote_code", True)
    assert_refused(folder, MalformedConfig)


INNER = ["backbone", "backbone.shape", "backbone.fingerprint", "probes.0", "card"]


@pytest.mark.parametrize("place", INNER)
def test_an_unknown_field_inside(folder: Path, place: str) -> None:
    put(folder, RECORD_FILE, f"{place}.surprise", 1)
    assert_refused(folder, MalformedConfig)


def test_every_missing_field_of_the_record(folder: Path) -> None:
    sound = (folder / RECORD_FILE).read_bytes()
    inner = [f"{place}.{name}" for place in INNER for name in get(folder, RECORD_FILE, place)]
    for field in [*(get(folder, RECORD_FILE).keys() - {"format_version"}), *inner]:
        put(folder, RECORD_FILE, field, REMOVED)
        assert_refused(folder, MalformedConfig)
        (folder / RECORD_FILE).write_bytes(sound)


def test_every_missing_field_of_a_config(folder: Path, own_folder: Path) -> None:
    for place, inner in ((folder, []), (own_folder, ["settings", "invertible"])):
        sound = (place / CONFIG_FILE).read_bytes()
        fields = [f"{part}.{name}" for part in inner for name in get(place, CONFIG_FILE)[part]]
        for field in [*get(place, CONFIG_FILE), *fields]:
            put(place, CONFIG_FILE, field, REMOVED)
            assert_refused(place, MalformedConfig)
            (place / CONFIG_FILE).write_bytes(sound)


WRONG: dict[str, list[object]] = {
    "a text": [None, True, 1, ["a"], {"a": "a"}],
    "an integer": [None, True, False, "1", 1.0, [1], HUGE, -HUGE],
    "a number": [None, True, "1", [1.0], HUGE, 1e999],
    "a truth value": [None, 0, 1, "true"],
    "a list": [None, True, 1, "ab", {"a": 1}],
    "an object": [None, True, 1, "a", [], [["a", 1]]],
}
TYPES = {
    "name": "a text",
    "kind": "a text",
    "weights_sha256": "a text",
    "below": "a list",
    "probes": "a list",
    "probes.0": "an object",
    "probes.0.ids": "a list",
    "probes.0.ids.1": "an integer",
    "probes.0.vector.1": "a number",
    "backbone": "an object",
    "backbone.release": "a text",
    "backbone.shape.n_blocks": "an integer",
    "backbone.shape.model_type": "a text",
    "backbone.fingerprint.samples": "an object",
    "card.private": "a truth value",
    "card.n_lines": "an integer",
    "card.evaluations": "a list",
}


@pytest.mark.parametrize(("field", "value"), [(field, value) for field, kind in TYPES.items() for value in WRONG[kind]])
def test_a_wrong_type_in_the_record(folder: Path, field: str, value: object) -> None:
    put(folder, RECORD_FILE, field, value)
    assert_refused(folder, MalformedConfig)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("kind", "voice"),
        ("language", "Swahili"),
        ("language", "swh_Latn"),
        ("language", "no such language"),
        ("language", ""),
        ("language", "a" * 100_000),
        ("backbone.shape.model_type", "gpt9"),
        ("backbone.shape.model_type", "__class__"),
        ("backbone.fingerprint.precision", "int16"),
        ("backbone.fingerprint.precision", "Tensor"),
        ("backbone.fingerprint.samples.x", 1.0),
        ("backbone.fingerprint.samples.x", ["1"]),
        ("backbone.fingerprint.samples.x", [HUGE]),
        ("probes", []),
        ("probes.0.vector", []),
        ("probes.0.vector.0", True),
        ("probes.0.vector.0", HUGE),
    ],
)
def test_a_wrong_value_in_the_record(folder: Path, field: str, value: object) -> None:
    put(folder, RECORD_FILE, field, value)
    assert_refused(folder, MalformedConfig)


@pytest.mark.parametrize("value", [0, -1, 10**9, 2**63])
@pytest.mark.parametrize("size", ["n_blocks", "n_heads", "hidden_width", "ffn_width", "vocabulary_size", "n_positions"])
def test_a_size_out_of_bounds(folder: Path, size: str, value: int) -> None:
    put(folder, RECORD_FILE, f"backbone.shape.{size}", value)
    assert_refused(folder, LimitExceeded)


@pytest.mark.parametrize("value", [0, -1, 3, 10**9, 2**63])
@pytest.mark.parametrize("size", ["n_key_heads", "head_width"])
def test_a_size_of_a_decoder_out_of_bounds(decoder_folder: Path, size: str, value: int) -> None:
    put(decoder_folder, RECORD_FILE, f"backbone.shape.{size}", value)
    assert_refused(decoder_folder, TensorShapeMismatch if (size, value) == ("head_width", 3) else LimitExceeded)


def test_heads_that_are_wide_only_together(decoder_folder: Path) -> None:
    put(decoder_folder, RECORD_FILE, "backbone.shape.n_heads", 60_000)
    put(decoder_folder, RECORD_FILE, "backbone.shape.head_width", 60_000)
    assert_refused(decoder_folder, LimitExceeded)


@pytest.mark.parametrize(("family", "version"), [("bert", 3), ("llama", 1), ("llama", 2)])
def test_a_family_with_the_sizes_of_another(decoder_folder: Path, family: str, version: int) -> None:
    put(decoder_folder, RECORD_FILE, "backbone.shape.model_type", family)
    put(decoder_folder, RECORD_FILE, "format_version", version)
    assert_refused(decoder_folder, MalformedConfig)


def test_an_encoder_that_says_it_is_a_decoder(folder: Path) -> None:
    put(folder, RECORD_FILE, "backbone.shape.model_type", "llama")
    put(folder, RECORD_FILE, "format_version", 3)
    assert_refused(folder, MalformedConfig)


def test_sizes_at_the_bounds_allocate_nothing(own_folder: Path) -> None:
    for size, value in {"n_blocks": 512, "hidden_width": 65_536}.items():  # promises 32 TiB of tensors
        put(own_folder, RECORD_FILE, f"backbone.shape.{size}", value)
    put(own_folder, CONFIG_FILE, "settings.reduction_factor", 1)
    assert_refused(own_folder, TensorSetMismatch)


@pytest.mark.parametrize("ids", [[], [1] * 129, [-1], [400], [2**40]])
def test_a_probe_out_of_bounds(folder: Path, ids: list[int]) -> None:
    put(folder, RECORD_FILE, "probes.1.ids", ids)
    assert_refused(folder, LimitExceeded)


def test_too_many_probes(folder: Path) -> None:
    put(folder, RECORD_FILE, "probes", get(folder, RECORD_FILE)["probes"] * 6)
    assert_refused(folder, LimitExceeded)


def test_too_many_adapters_below(folder: Path) -> None:
    put(folder, RECORD_FILE, "below", [f"language/a{number}" for number in range(17)])
    assert_refused(folder, LimitExceeded)


@pytest.mark.parametrize(
    ("field", "value"),
    [("r", 4097), ("r", 10**9), ("r", HUGE), ("lora_alpha", 1e300), ("lora_alpha", 10**7), ("lora_alpha", HUGE)],
)
def test_a_huge_rank_or_alpha_in_a_peft_config(folder: Path, field: str, value: object) -> None:
    put(folder, CONFIG_FILE, field, value)
    assert_refused(folder, LimitExceeded)


@pytest.mark.parametrize("field", ["settings.reduction_factor", "invertible.reduction_factor"])
def test_a_huge_factor_in_our_own_config(own_folder: Path, field: str) -> None:
    put(own_folder, CONFIG_FILE, field, 4097)
    assert_refused(own_folder, LimitExceeded)


@pytest.mark.parametrize(("field", "value"), [("settings.rank", 10**9), ("settings.alpha", 1e9)])
def test_a_huge_rank_or_alpha_in_our_own_config(lora_folder: Path, field: str, value: float) -> None:
    put(lora_folder, CONFIG_FILE, field, value)
    assert_refused(lora_folder, LimitExceeded)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("auto_mapping", {"base_model_class": "X", "parent_library": "os"}),
        ("megatron_core", "megatron.core"),
        ("layer_replication", [[0, 2], [0, 2]]),
        ("modules_to_save", ["classifier"]),
        ("rank_pattern", {}),
        ("exclude_modules", "a|b"),
        ("target_modules", ".*query"),
        ("target_modules", "(a+)+$"),
        ("target_modules", "all-linear"),
        ("target_modules", ["query"]),
        ("target_modules", ["encoder.layer.2.attention.self.query"]),
        ("target_modules", ["encoder.layer.0.output.LayerNorm"]),
        ("target_modules", ["encoder.layer.0.attention.self.query"] * 2),
        ("target_modules", ["encoder.layer.0.attention.self.query", "encoder.layer.1.attention.self.key"]),
        ("target_modules", []),
        ("target_modules", [["query"]]),
        ("target_modules", None),
        ("r", True),
        ("r", 4.0),
        ("r", "4"),
        ("r", 0),
        ("r", -4),
        ("lora_alpha", True),
        ("lora_alpha", 0),
        ("lora_alpha", -HUGE),
        ("lora_dropout", 1.0),
        ("lora_dropout", False),
        ("use_rslora", 0),
        ("bias", "all"),
        ("fan_in_fan_out", True),
        ("fan_in_fan_out", 0),
        ("inference_mode", 1),
        ("inference_mode", False),
        ("task_type", "SEQ_CLS"),
        ("base_model_name_or_path", None),
        ("peft_type", "IA3"),
        ("peft_type", "ADAPTKIT"),
        ("peft_type", True),
        ("peft_type", ["LORA"]),
    ],
)
def test_a_peft_config_that_means_something_else(folder: Path, field: str, value: object) -> None:
    put(folder, CONFIG_FILE, field, value)
    assert_refused(folder, MalformedConfig)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("method", "lora"),
        ("method", "__class__"),
        ("method", ["bottleneck"]),
        ("method", True),
        ("settings", None),
        ("settings.reduction_factor", True),
        ("settings.reduction_factor", 0),
        ("settings.activation", "exec"),
        ("settings.activation", ["relu"]),
        ("settings.sites", "block.output"),
        ("settings.sites", []),
        ("settings.sites", ["block.output", "block.output"]),
        ("settings.sites", ["attention.query"]),
        ("settings.sites", ["embeddings"]),
        ("settings.sites", [0]),
        ("settings.blocks", []),
        ("settings.blocks", [2]),
        ("settings.blocks", [10**18]),
        ("settings.blocks", [1, 0]),
        ("settings.blocks", [0, 0]),
        ("settings.blocks", [-1]),
        ("settings.blocks", [True]),
        ("settings.surprise", 1),
        ("invertible", False),
        ("invertible", {}),
        ("invertible.activation", "tanh"),
        ("peft_type", "LORA"),
    ],
)
def test_an_own_config_that_means_nothing(own_folder: Path, field: str, value: object) -> None:
    put(own_folder, CONFIG_FILE, field, value)
    assert_refused(own_folder, MalformedConfig)


def test_a_pure_lora_that_hides_from_peft(lora_folder: Path) -> None:
    put(lora_folder, CONFIG_FILE, "invertible", None)
    assert_refused(lora_folder, MalformedConfig)


@pytest.mark.parametrize(
    ("field", "value", "error"),
    [
        ("settings.rank", 5, TensorShapeMismatch),
        ("settings.blocks", [0], TensorSetMismatch),
        ("settings.sites", ["attention.query"], TensorSetMismatch),
    ],
)
def test_a_config_that_promises_other_tensors(
    lora_folder: Path, field: str, value: object, error: type[AdapterFileError]
) -> None:
    put(lora_folder, CONFIG_FILE, field, value)
    assert_refused(lora_folder, error)
