"""How a backbone is held: what is taken where nothing is asked for, and what help and docs say of it."""

from pathlib import Path

import pytest

from adaptkit.errors import ConfigError
from adaptkit.holding import BITS, EMBEDDING_FORMS, embedding_form, embeddings_help

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "small-memory.md"


def test_where_no_form_is_asked_for_the_bits_decide() -> None:
    assert [embedding_form(bits, None).name for bits in BITS] == ["resident", "resident", "paged", "paged"]
    assert [embedding_form(bits, None, trimmed=True).name for bits in BITS] == ["resident", "resident", "int8", "int8"]


@pytest.mark.parametrize("name", EMBEDDING_FORMS)
def test_a_form_that_is_asked_for_is_taken_at_any_bits(name: str) -> None:
    assert {embedding_form(bits, name, trimmed=trimmed).name for bits in BITS for trimmed in (False, True)} == {name}


def test_one_form_is_the_default_at_each_bits() -> None:
    forms = EMBEDDING_FORMS.values()
    assert sorted(bits for form in forms for bits in form.default_at) == sorted(BITS)
    assert sorted(bits for form in forms for bits in form.default_at_with_vocabulary) == sorted(BITS)


@pytest.mark.parametrize("asked", [None, "paged"])
def test_other_bits_are_refused(asked: str | None) -> None:
    with pytest.raises(ConfigError, match=r"bits is 32, 16, 8, 4, found 5\."):
        embedding_form(5, asked)


def test_another_form_is_refused_with_the_one_that_was_meant() -> None:
    with pytest.raises(ConfigError, match=r"found 'int4'\. Did you mean 'int8'\?"):
        embedding_form(8, "int4")


def test_help_names_every_form_and_the_defaults() -> None:
    assert ", ".join(EMBEDDING_FORMS) in embeddings_help()
    assert "(default: resident at 32 and 16 bits, paged at 8 and 4 bits)" in embeddings_help()


@pytest.mark.parametrize("name", EMBEDDING_FORMS)
def test_the_page_on_memory_has_the_table_of_forms(name: str) -> None:
    form = EMBEDDING_FORMS[name]
    line = f"| `{form.name}` | {form.held} | {form.exact} | {form.default} |".replace("  ", " ")
    assert line in PAGE.read_text().splitlines(), f"{PAGE.name} shall have the line {line}"
