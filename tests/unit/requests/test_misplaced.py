"""What is given in the wrong place, or is no value at all, is told where it belongs."""

from typing import Any

import pytest

import adaptkit
from adaptkit.errors import ConfigError

VERBS: tuple[Any, ...] = (adaptkit.train_adapter, adaptkit.estimate_adapter)


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"rank": 8}, "rank is not an option of the call itself: give it in method=Lora(rank=...)"),
        ({"max_steps": 3}, "give it in run=Run(max_steps=...)."),
        ({"token_anchor": 1.0}, "give it in objective=Distill(token_anchor=...) or objective=Gloss("),
        ({"overwrite": True}, "give it in output=Output(overwrite=...)."),
        ({"bits": 4}, "give it in backbone=Pretrained(bits=...)."),
        ({"labels": ("a", "b")}, "give it in reading=ReadingOptions(labels=...)."),
        ({"paralel": "a.tsv"}, "there is no option 'paralel'. Did you mean 'parallel'?"),
        ({"rnak": 8}, "there is no option 'rnak'. Did you mean 'rank'?"),
        ({"method": adaptkit.Lora}, "found the class Lora: write Lora()."),
        ({"objective": adaptkit.Distill}, "found the class Distill: write Distill()."),
        ({"run": 3}, "run takes adaptkit.Run(...), found 3."),
        ({"output": 3}, "output takes adaptkit.Output(...), found 3."),
    ],
)  # fmt: skip
def test_the_message_says_where_it_belongs(verb: Any, given: dict[str, Any], said: str) -> None:  # noqa: ANN401
    with pytest.raises(ConfigError) as refused:
        verb(lang="sw", **given)
    assert said in str(refused.value)


def test_an_option_of_several_is_told_with_all_of_them() -> None:
    with pytest.raises(ConfigError, match=r"method=Lora\(blocks=\.\.\.\) or "):
        VERBS[0](lang="sw", blocks=(0,))
