import unicodedata
from collections.abc import Mapping

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adaptkit.data.lexicon import Lexicon
from adaptkit.data.triage import Triage, triage
from adaptkit.errors import ConfigError, EmptyCorpus, UnknownLanguage, UnsuitableText

TIBETAN = "ཀ་ཁ་ག"
UNKNOWN = 3


class WordTokenizer:
    """One token a word; a word that is not ASCII is unknown."""

    def __init__(self, unk_token_id: int | None = UNKNOWN) -> None:
        self.unk_token_id = unk_token_id
        self.batches: list[int] = []

    def __call__(
        self, lines: list[str], /, *, add_special_tokens: bool, verbose: bool
    ) -> Mapping[str, list[list[int]]]:
        assert not add_special_tokens
        assert not verbose
        self.batches.append(len(lines))
        return {"input_ids": [[10 if word.isascii() else UNKNOWN for word in line.split()] for line in lines]}


def look(*lines: str, max_length: int = 100, sample_lines: int = 100, language: str | None = None) -> Triage:
    return triage(lines, WordTokenizer(), max_length=max_length, sample_lines=sample_lines, language=language)


def test_counts() -> None:
    found = look("one two three", "four", "", "four", max_length=2)
    assert (found.lines, found.empty_lines, found.duplicate_lines, found.overlong_lines) == (3, 1, 1, 1)
    assert (found.tokens, found.tokens_per_word) == (4, 1.0)


def test_length_and_full_sentences() -> None:
    found = look("The goat sleeps well.", "one two", "Two eggs are in here today!", "six")
    assert (found.median_words, found.full_sentences) == (3.0, 0.5)
    assert found.p90_words == pytest.approx(5.4)


def test_unknown_shares() -> None:
    found = look("one two three", f"one {TIBETAN}", "one two three four five", "six")
    assert found.unknown_share == pytest.approx(1 / 11)
    assert found.unknown_sentence_share == 0.25


def test_a_tokenizer_without_unknown_token_knows_everything() -> None:
    assert triage([TIBETAN], WordTokenizer(None), max_length=9).unknown_share == 0.0


def test_counts_are_scaled_up_from_a_sample() -> None:
    found = look(*(f"goat number {number}" for number in range(1000)), sample_lines=50, max_length=2)
    assert (found.lines, found.sampled_lines, found.overlong_lines, found.tokens) == (1000, 50, 1000, 2000)


def test_the_sample_is_drawn_evenly() -> None:
    found = look(*["one"] * 1000, *[TIBETAN] * 1000, sample_lines=500)
    assert found.unknown_sentence_share == pytest.approx(0.5, abs=0.1)


def test_the_same_lines_are_sampled_every_time() -> None:
    lines = [TIBETAN if number % 3 else "one" for number in range(1000)]
    assert look(*lines, sample_lines=10) == look(*lines, sample_lines=10)


def test_lines_are_tokenized_in_batches() -> None:
    tokenizer = WordTokenizer()
    triage(["one"] * 1100, tokenizer, max_length=9)
    assert tokenizer.batches == [500, 500, 100]


@settings(deadline=None)
@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]))))
def test_figures_are_sound_for_any_text(lines: list[str]) -> None:
    found = look("one", *lines, max_length=3, language="sw")
    assert found.lines + found.empty_lines == len(lines) + 1
    assert found.duplicate_lines == found.lines - len(
        {unicodedata.normalize("NFC", line.strip()) for line in ["one", *lines] if line.strip()}
    )
    assert 0 <= found.unknown_share <= found.unknown_share + found.unknown_sentence_share <= 2
    assert sum(found.scripts.values()) == pytest.approx(1)


# Forms


class LetterTokenizer(WordTokenizer):
    """One token a character."""

    def __call__(
        self, lines: list[str], /, *, add_special_tokens: bool, verbose: bool
    ) -> Mapping[str, list[list[int]]]:
        assert not add_special_tokens
        assert not verbose
        return {"input_ids": [[ord(letter) for letter in line] for line in lines]}


COMPOSED = [f"Ọjà náà wà ní Ọ̀yọ́ {number}." for number in range(50)]
DECOMPOSED = [unicodedata.normalize("NFD", line) for line in COMPOSED]
MIXED = [f"{line} {other}" for line, other in zip(COMPOSED, DECOMPOSED, strict=True)]
PLAIN = [f"goat {number}" for number in range(50)]


@pytest.mark.parametrize(
    ("lines", "counts", "said"),
    [
        (PLAIN, (0, 0, 0), None),
        (COMPOSED, (50, 0, 0), None),
        (DECOMPOSED + PLAIN, (0, 50, 0), "0.0% have composed letters (NFC), 50.0% decomposed ones (NFD) and 0.0% both"),
        (COMPOSED + DECOMPOSED[:30], (50, 30, 0), "62.5% have composed letters (NFC), 37.5% decomposed ones (NFD)"),
        (MIXED, (0, 0, 50), "and 100.0% both, and the tokenizer reads them differently: read all in one form, normal"),
    ],
)
def test_forms_are_counted_and_said(lines: list[str], counts: tuple[int, int, int], said: str | None) -> None:
    found = triage(lines, LetterTokenizer(), max_length=100)
    assert (found.forms.composed, found.forms.decomposed, found.forms.mixed) == counts
    assert found.forms.texts == len(lines)
    notes = [note for note in found.problems() if "NFD" in note]
    assert (said is None and not notes) or (len(notes) == 1 and said is not None and said in notes[0])


def test_forms_that_the_tokenizer_reads_alike_are_a_note_only_where_there_are_several() -> None:
    assert not any("NFD" in note for note in look(*DECOMPOSED).problems())
    (note,) = [note for note in look(*COMPOSED, *DECOMPOSED).problems() if "NFD" in note]
    assert note.endswith("the tokenizer reads them alike.")


def test_a_line_in_another_form_is_a_duplicate() -> None:
    assert look(*COMPOSED, *DECOMPOSED).duplicate_lines == 50
    assert look(*COMPOSED).duplicate_lines == 0


# Refusal


def test_ordinary_text_is_not_refused() -> None:
    look("one two").require()
    assert look("one two").refusal() is None


@pytest.mark.parametrize("lines", [[TIBETAN, "one"], [f"one {TIBETAN}"], ["one"] * 8 + [TIBETAN]])
def test_text_that_the_tokenizer_cannot_read_is_refused(lines: list[str]) -> None:
    with pytest.raises(UnsuitableText, match=r"letters: .*Tibetan \d"):
        look(*lines).require()


def test_a_few_unknown_tokens_are_not_refused() -> None:
    found = look(*["one two three four five six"] * 3, f"one two {TIBETAN}")
    assert found.refusal() is None
    assert any("25.0%" in problem for problem in found.problems())


def test_force_goes_on() -> None:
    found = look(TIBETAN)
    found.require(force=True)
    reason = found.refusal()
    assert reason is not None
    assert "100.0% of the lines" in reason
    assert "force=True" in reason


# Problems


def test_sound_text_has_no_problems() -> None:
    lines = [f"goat {number} " + "eats " * 98 for number in range(600)]
    assert look(*lines, language="en").problems() == []


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        (["one", "one"], "50.0% of the lines are duplicates"),
        (["one " * 101, "two"], "50.0% of the lines are cut at 100 tokens"),
        (["привет", "one"], "50.0% of the lines are not in the usual script of sw"),
        (["one"], "1 tokens are few"),
    ],
)
def test_problems_are_named(lines: list[str], words: str) -> None:
    assert any(words in problem for problem in look(*lines, language="swh_Latn").problems())


def test_finely_cut_words_are_named_where_words_have_spaces() -> None:
    class Letters(WordTokenizer):
        def __call__(
            self, lines: list[str], /, *, add_special_tokens: bool, verbose: bool
        ) -> Mapping[str, list[list[int]]]:
            return super().__call__(
                [" ".join(line) for line in lines], add_special_tokens=add_special_tokens, verbose=verbose
            )

    assert any("8.0 tokens" in problem for problem in triage(["mountain"], Letters(), max_length=9).problems())
    assert not any("8.0 tokens" in problem for problem in triage(["山" * 8], Letters(), max_length=9).problems())


def test_wrong_script_lines_are_those_mostly_in_another() -> None:
    assert look("ni mzuri сана", "привет", "12 34", "ni mzuri", language="sw").wrong_script_lines == 1


def test_without_a_language_no_script_is_wrong() -> None:
    assert look("привет").wrong_script_lines == 0


# Scripts


def test_scripts_are_shares_of_letters() -> None:
    assert look("ab", f"{TIBETAN}ཀཀཀ 12").scripts == {"Tibt": 0.75, "Latn": 0.25}


# Arguments


def test_no_text_is_refused() -> None:
    with pytest.raises(EmptyCorpus):
        look("", " ")


@pytest.mark.parametrize(("max_length", "sample_lines"), [(0, 1), (1, 0)])
def test_lengths_below_one_are_refused(max_length: int, sample_lines: int) -> None:
    with pytest.raises(ConfigError):
        look("one", max_length=max_length, sample_lines=sample_lines)


def test_an_unknown_language_is_refused() -> None:
    with pytest.raises(UnknownLanguage):
        look("one", language="no such language")


@pytest.mark.parametrize(("n_known", "noted", "refused"), [(0, True, True), (1, True, False), (2, False, False)])
def test_a_dictionary_that_knows_too_little_is_noted_and_then_refused(n_known: int, noted: bool, refused: bool) -> None:
    lexicon = Lexicon((("nyumba", "house"),))
    found = triage(
        [" ".join(["nyumba"] * n_known + ["mlima"] * (10 - n_known))], WordTokenizer(), max_length=9, lexicon=lexicon
    )
    assert found.known_word_share == n_known / 10
    assert found.known_words() == f"{n_known / 10:.1%} of the words are in the dictionary"
    assert any("are in the dictionary, which is little" in problem for problem in found.problems()) == noted
    assert (found.refusal() is not None) == refused


def test_without_a_dictionary_no_word_of_one() -> None:
    found = look("nyumba")
    assert (found.known_word_share, found.known_words(), found.refusal()) == (None, "", None)
