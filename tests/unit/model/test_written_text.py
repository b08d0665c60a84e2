"""Text token by token: letters over several tokens, spaces at borders, and stop strings across them."""

import pytest

from adaptkit.model.generation.written import WrittenText
from tests.tiny import byte_tokenizer

PROMPT = "Habari ya asubuhi,"
TEXTS = [" rafiki. Karibu!", "", "ọ̀rọ̀ ṣíṣe", " 山羊在老师的家里睡觉。", "\n\n  two  spaces \t", " 🙂👩‍👩‍👧 é", "�a"]


def written(text: str, *stops: str, room: int = 1000) -> tuple[WrittenText, list[str]]:
    tokenizer = byte_tokenizer()
    writing = WrittenText(
        tokenizer=tokenizer,
        prompt=tokenizer(PROMPT)["input_ids"],
        ends={tokenizer.eos_token_id},
        stops=stops,
        room=room,
        filled="length",
    )
    pieces = []
    for token in [*tokenizer(text)["input_ids"], tokenizer.eos_token_id]:
        pieces.append(writing.add(token))
        if writing.stopped is not None:
            break
    return writing, pieces


@pytest.mark.parametrize("text", TEXTS)
def test_pieces_make_the_text(text: str) -> None:
    writing, pieces = written(text)
    assert "".join(pieces) == writing.generated().text == text
    assert writing.generated().stopped == "end"
    if text != TEXTS[-1]:
        assert not any("\ufffd" in piece for piece in pieces)


@pytest.mark.parametrize("text", TEXTS[:6])
def test_a_text_that_is_cut_has_all_its_letters(text: str) -> None:
    tokens = byte_tokenizer()(text)["input_ids"]
    for room in range(1, len(tokens) + 1):
        writing, pieces = written(text, room=room)
        assert "".join(pieces) == byte_tokenizer().decode(tokens[:room])
        assert writing.generated().stopped == "length"


@pytest.mark.parametrize("text", TEXTS[:6])
def test_a_stop_string_is_found_wherever_tokens_end(text: str) -> None:
    for start in range(len(text)):
        for stop in {text[start:end] for end in (start + 1, start + 3, len(text))}:
            writing, pieces = written(text, stop, "never here")
            generated = writing.generated()
            assert "".join(pieces) == generated.text == text.partition(stop)[0]
            assert (generated.stopped, generated.stop) == ("stop", stop)


def test_the_first_of_several_stop_strings_ends_the_text() -> None:
    generated = written(" moja mbili tatu nne", "tatu", "mbili", "mbi", "nne")[0].generated()
    assert (generated.text, generated.stop) == (" moja ", "mbili")


def test_letters_that_may_begin_a_stop_string_wait() -> None:
    writing, pieces = written(" aab", "aaab")
    assert "".join(pieces) == writing.generated().text == " aab"
    assert writing.generated().stopped == "end"
