"""Our scores for the package evaluate."""

from typing import TYPE_CHECKING, Any

from adaptkit.interchange.scorings import scoring

if TYPE_CHECKING:
    from adaptkit.interchange.score_module import ScoreModule


def evaluation_module(name: str, **options: Any) -> "ScoreModule":  # noqa: ANN401 - those of the score
    """One of our scores as an `evaluate.EvaluationModule`, which needs no hub.

    ```python
    adaptkit.evaluation_module("mlqa", lang="de").compute(predictions=[...], references=[...])
    Trainer(..., compute_metrics=adaptkit.evaluation_module("accuracy"))
    ```

    | name | options | gives |
    |---|---|---|
    | `accuracy` | | `accuracy`, 0 to 1 |
    | `macro_f1` | | `macro_f1`, 0 to 1 |
    | `label_sets` | `labels`, for a Trainer | `micro_f1`, `macro_f1`, 0 to 1 |
    | `entities` | `labels`, for a Trainer; `ignore` these types | as seqeval: `overall_f1` and others, 0 to 1 |
    | `squad` | | `exact_match`, `f1`, 0 to 100 |
    | `mlqa` | `lang`, that of the contexts | `exact_match`, `f1`, 0 to 100 |
    | `pearson` | | `pearson`, -1 to 1 |
    | `chrf`, `bleu` | | `score`, 0 to 100, of translations with one reference each |

    Raises:
        ConfigError: No such score or option, or evaluate is not installed.
        UnknownLanguage: `lang` is no language.
    """
    scored = scoring(name, options)
    # Its import takes seconds, and adaptkit does without it.
    from adaptkit.interchange.score_module import ScoreModule

    return ScoreModule(scored)
