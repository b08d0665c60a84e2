from adaptkit.training.progress import Progress


def test_the_first_measure_is_the_one_before_training() -> None:
    progress = Progress().judged({"loss": 3.0}).advanced(tokens=5, elapsed_s=0.5).judged({"loss": 2.0})
    assert progress.before == {"loss": 3.0}
    assert (progress.step, progress.tokens, progress.elapsed_s, progress.judged_step) == (1, 5, 0.5, 1)


def test_evaluations_without_gain_are_counted_from_the_best_one() -> None:
    progress, waited = Progress(), []
    for loss in (3.0, 2.0, 2.0, 2.5, 1.9):
        progress = progress.judged({"loss": loss})
        waited.append(progress.evaluations_without_gain)
    assert waited == [0, 0, 1, 2, 0]
    assert progress.best_loss == 1.9


def test_a_gain_below_the_least_is_kept_and_counted_as_none() -> None:
    progress, waited = Progress(), []
    for loss in (4.0, 3.0, 2.8, 2.6, 2.3, 2.2):
        progress = progress.judged({"loss": loss}, least_gain=0.1)
        waited.append(progress.evaluations_without_gain)
    assert waited == [0, 0, 1, 2, 0, 1]
    assert progress.best_loss == 2.2
