import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adaptkit.format.spec import MAX_JSON_DEPTH
from adaptkit.format.strict_json import parse_json

TEXTS = st.text(st.characters(exclude_categories=["Cs"]))
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=MAX_JSON_DEPTH,
)


@given(VALUES, st.booleans(), st.sampled_from([None, 1]))
def test_sound_json_is_read_as_the_standard_library_reads_it(
    value: object, ascii_only: bool, indent: int | None
) -> None:
    text = json.dumps(value, ensure_ascii=ascii_only, indent=indent).encode()
    read = parse_json(text)
    assert read == value
    assert json.dumps(read) == json.dumps(json.loads(text))


@given(st.binary() | TEXTS.map(str.encode))
def test_any_bytes_are_read_alike_or_refused(content: bytes) -> None:
    try:
        read = parse_json(content)
    except ValueError:
        return
    assert read == json.loads(content)
    assert json.loads(json.dumps(read, allow_nan=False)) == read


@pytest.mark.parametrize("text", ["1e999", "-1e999", '{"a": [1e400]}'])
def test_a_number_that_would_be_infinite(text: str) -> None:
    with pytest.raises(ValueError, match="beyond every number"):
        parse_json(text.encode())


@pytest.mark.parametrize("levels", [MAX_JSON_DEPTH, MAX_JSON_DEPTH + 1])
def test_how_deep_it_may_be(levels: int) -> None:
    text = b"[" * levels + b"1" + b"]" * levels
    if levels > MAX_JSON_DEPTH:
        with pytest.raises(ValueError, match="nested"):
            parse_json(text)
    else:
        assert parse_json(text) == json.loads(text)
