import pytest

from adaptkit import OBJECTIVES, Clm, Distill, Gloss, Mlm
from adaptkit.errors import ConfigError
from adaptkit.objectives import objective_for, objective_of
from adaptkit.options import options_of
from adaptkit.requests import request_for


def test_each_is_found_by_its_name_and_by_its_options() -> None:
    assert list(OBJECTIVES)[:3] == ["mlm", "clm", "distill"]
    assert [objective_of(value).name for value in (Mlm(), Clm(), Distill())] == ["mlm", "clm", "distill"]


def test_options_of_none_are_told_what_there_is() -> None:
    with pytest.raises(ConfigError, match=r"objective is auto, mlm, clm, distill.* or the options of one"):
        objective_of(3)


@pytest.mark.parametrize("name", list(OBJECTIVES))
def test_every_option_has_a_default_and_a_sentence(name: str) -> None:
    options = OBJECTIVES[name].options
    assert list(options_of(options)) == list(vars(options()))


def test_translations_are_made_use_of() -> None:
    assert objective_for(translated=True, kind="encoder").name == "distill"
    assert objective_for(translated=True, kind="decoder").name == "distill"
    assert objective_for(translated=False, kind="encoder").name == "mlm"
    assert objective_for(translated=False, kind="decoder").name == "clm"


def test_a_dictionary_is_made_use_of() -> None:
    assert objective_for(translated=False, kind="encoder", glossed=True).name == "gloss"
    assert objective_for(translated=False, kind="decoder", glossed=True).name == "gloss"
    OBJECTIVES["gloss"].require_text(translated=False, glossed=True)
    with pytest.raises(ConfigError, match=r"glossing needs a dictionary of the language: give lexicon=\.\.\. beside"):
        OBJECTIVES["gloss"].require_text(translated=False)
    with pytest.raises(ConfigError, match="modelling makes no use of a dictionary: leave lexicon="):
        request_for({"lang": "sw", "text": "sw.txt", "lexicon": "sw_en.tsv", "objective": "mlm"})


def test_what_does_not_suit_is_refused() -> None:
    with pytest.raises(ConfigError, match="objective 'clm' does not go with an encoder, in which tokens see each"):
        OBJECTIVES["clm"].require_backbone("encoder")
    with pytest.raises(ConfigError, match="distillation needs sentences with their translations: give parallel="):
        OBJECTIVES["distill"].require_text(translated=False)
    OBJECTIVES["distill"].require_backbone("decoder")
    OBJECTIVES["mlm"].require_text(translated=True)


@pytest.mark.parametrize(
    ("options", "wrong", "said"),
    [
        (Distill, {"source_share": 1.5}, "source_share must lie between 0 and 1, found 1.5"),
        (Distill, {"pair_share": -0.1}, "pair_share must lie between 0 and 1, found -0.1"),
        (Distill, {"inner_weight": -1.0}, "inner_weight must be at least 0, found -1.0"),
        (Distill, {"token_anchor": float("inf")}, "token_anchor must be a finite number, found inf"),
        (Mlm, {"anchor": float("nan")}, "anchor must be a finite number, found nan"),
        (Gloss, {"word_dropout": 1.2}, "word_dropout must lie between 0 and 1, found 1.2"),
        (Gloss, {"mlm_weight": -0.5}, "mlm_weight must be at least 0, found -0.5"),
        (Distill, {"anchor_share": 0}, "anchor_share must be above 0"),
        (Distill, {"contrast_weight": -0.5}, "contrast_weight must be at least 0, found -0.5"),
        (Distill, {"similarity_temperature": 0.0}, "similarity_temperature must be above 0, found 0.0"),
        (Distill, {"anchor_on": "names"}, "anchor_on .*all.*shared.*names"),
        (Distill, {"relation": "angles"}, "relation .*similarities.*distances.*angles"),
        (Mlm, {"head_warmup": -1}, "head_warmup must be at least 0, found -1"),
    ],
)
def test_numbers_that_cannot_be_right_are_refused(options: type, wrong: dict[str, float], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        options(**wrong)
