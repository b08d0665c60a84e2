import builtins
from typing import Any

import numpy as np
import pytest
import sacrebleu

from adaptkit.errors import ConfigError
from adaptkit.scores import Bleu, ChrF, paired_metric_difference

WRITTEN = ["mbuzi analala ndani ya nyumba leo", "mvua inanyesha shambani", "", "tunakula ugali na samaki kila siku"]
RIGHT = [
    "mbuzi analala ndani ya nyumba",
    "mvua ilinyesha mashambani jana",
    "maji",
    "tunakula ugali na samaki kila siku",
]
METRICS: dict[str, tuple[Any, Any]] = {
    "chrF++": (ChrF(), sacrebleu.CHRF(word_order=2)),
    "BLEU": (Bleu(), sacrebleu.BLEU()),
}


@pytest.mark.parametrize("name", METRICS)
def test_a_test_set_has_the_score_that_sacrebleu_gives(name: str) -> None:
    ours, theirs = METRICS[name]
    counts = ours.statistics(WRITTEN, RIGHT)
    assert ours.name == name
    assert float(ours.score(counts.sum(axis=0))) == pytest.approx(theirs.corpus_score(WRITTEN, [RIGHT]).score)
    some = np.stack([counts[:2].sum(axis=0), counts[2:].sum(axis=0)])
    right = [theirs.corpus_score(WRITTEN[part], [RIGHT[part]]).score for part in (slice(2), slice(2, None))]
    assert ours.score(some).tolist() == pytest.approx(right)


@pytest.mark.parametrize("name", METRICS)
def test_a_signature_is_that_of_sacrebleu(name: str) -> None:
    ours, theirs = METRICS[name]
    theirs.corpus_score(WRITTEN, [RIGHT])
    assert ours.signature == theirs.get_signature().format()
    assert "nrefs:1" in ours.signature


def test_differences_have_intervals() -> None:
    metric = ChrF()
    found = paired_metric_difference(
        metric, metric.statistics(RIGHT, RIGHT)[None], metric.statistics(WRITTEN, RIGHT)[None]
    )
    assert found.mean > 0
    assert found.low <= found.mean <= found.high


def test_without_sacrebleu_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def without(name: str, *rest: Any) -> Any:  # noqa: ANN401
        if name == "sacrebleu":
            raise ImportError("No module named 'sacrebleu'")
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(ConfigError, match=r"adaptkit-nlp\[translation\]"):
        ChrF().statistics(WRITTEN, RIGHT)
