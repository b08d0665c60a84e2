import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adaptkit.errors import ConfigError
from adaptkit.format.typed_json import MistypedJson, decode, encode
from adaptkit.methods import BottleneckConfig


@dataclass(frozen=True, kw_only=True)
class Inner:
    share: float
    name: str | None = None


@dataclass(frozen=True, kw_only=True)
class Outer:
    count: int
    on: bool
    kind: Literal["a", "b"]
    inner: Inner
    many: tuple[Inner, ...]
    named: Mapping[str, str | float | int | bool | None]
    computed: int = field(init=False, default=7)


SOUND = Outer(
    count=3,
    on=True,
    kind="a",
    inner=Inner(share=0.5, name="x"),
    many=(Inner(share=1.0), Inner(share=2.0)),
    named={"text": "1", "real": 1.0, "whole": 1, "truth": True, "none": None},
)


def changed(**fields: object) -> dict[str, Any]:
    return {**encode(SOUND), **fields}


def test_a_record_comes_back_exactly() -> None:
    read = decode(Outer, json.loads(json.dumps(encode(SOUND))))
    assert read == SOUND
    assert [type(value) for value in read.named.values()] == [str, float, int, bool, type(None)]


def test_computed_fields_are_not_written() -> None:
    assert "computed" in asdict(SOUND)
    assert "computed" not in encode(SOUND)


def test_a_whole_number_is_taken_for_a_real_one() -> None:
    share = decode(Outer, changed(inner={"share": 1, "name": None})).inner.share
    assert (share, type(share)) == (1.0, float)


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"surprise": 1}, "unknown field 'surprise'"),
        ({"count": True}, "count is True, expected an integer"),
        ({"count": 1.0}, "expected an integer"),
        ({"count": 2**64 + 1}, "at most 64 bits"),
        ({"on": 1}, "on is 1, expected true or false"),
        ({"kind": "c"}, "expected one of"),
        ({"kind": ["a"]}, "expected one of"),
        ({"kind": None}, "expected one of"),
        ({"inner": []}, "inner is [], expected an object"),
        ({"inner": {"share": 1.0}}, "inner lacks the field 'name'"),
        ({"inner": {"share": "1", "name": None}}, "inner.share is '1', expected a number"),
        ({"inner": {"share": False, "name": None}}, "expected a number"),
        ({"inner": {"share": float("nan"), "name": None}}, "expected a finite number"),
        ({"inner": {"share": float("-inf"), "name": None}}, "expected a finite number"),
        ({"inner": {"share": 10**400, "name": None}}, "expected a finite number"),
        ({"inner": {"share": 1.0, "name": 1}}, "inner.name is 1, expected a text"),
        ({"many": {}}, "expected a list"),
        ({"many": "ab"}, "expected a list"),
        ({"many": [{"share": 1.0, "name": None}, 3]}, "many[1] is 3, expected an object"),
        ({"named": []}, "expected an object"),
        ({"named": {"x": [1]}}, "named.x is [1]"),
        ({"named": {"x": {}}}, "; or "),
    ],
)
def test_what_does_not_fit_is_told_with_its_place(fields: dict[str, object], told: str) -> None:
    with pytest.raises(MistypedJson) as caught:
        decode(Outer, changed(**fields))
    assert told in str(caught.value)


@pytest.mark.parametrize("name", ["count", "on", "kind", "inner", "many", "named"])
def test_a_missing_field(name: str) -> None:
    content = changed()
    del content[name]
    with pytest.raises(MistypedJson, match=f"lacks the field '{name}'"):
        decode(Outer, content)


def test_a_value_that_the_record_itself_refuses() -> None:
    with pytest.raises(MistypedJson, match="reduction_factor") as caught:
        decode(BottleneckConfig, {"reduction_factor": 0, "activation": "relu", "sites": [], "blocks": None}, "settings")
    assert isinstance(caught.value.__cause__, ConfigError)


def test_a_long_value_is_told_in_short() -> None:
    with pytest.raises(MistypedJson) as caught:
        decode(Outer, changed(count="x" * 10**6))
    assert len(str(caught.value)) < 200


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


@settings(deadline=None)
@given(name=st.sampled_from(["count", "on", "kind", "inner", "many", "named"]), value=json_values)
def test_any_json_is_a_record_or_refused(name: str, value: object) -> None:
    try:
        read = decode(Outer, changed(**{name: value}))
    except MistypedJson:
        return
    assert json.dumps(encode(read)) == json.dumps(encode(decode(Outer, encode(read))))
