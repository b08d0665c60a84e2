"""Where a head may start: as the logistic regression of what it is trained on."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Literal, TypeAlias

import torch
import torch.nn.functional as F
from torch import Tensor

from adaptkit.heads.batch import Batch
from adaptkit.layers.heads import SentenceHead, TokenHead
from adaptkit.layers.pooling import mean_pool
from adaptkit.task_types import IGNORED

_MOST_ROUNDS = 1000
_MOST_ROUNDS_BEFORE_STEPS = 100
_LEAST_SLOPE = 1e-6
# tanh(x) is x less x**3 / 3: by 3 parts in 100,000 at the largest number that it gets.
_LARGEST_IN_TANH = 0.01
# Where steps follow, they move weights of the usual size. A number is then off by a twelfth at most.
_LARGEST_BEFORE_STEPS = 0.5
_LEAST_SPREAD = 1e-3

ToSteps: TypeAlias = Literal["instead", "before", "after"]
"""How a regression stands to the steps of a run: in place of them, before the first, or after the last."""


@dataclass(frozen=True)
class LogisticRegression:
    """The logits of a vector `x` are `weight @ (x - centre) + bias`.

    `centre` is the mean of what it was fitted to, and `largest` the farthest that a number of it is from there.
    Shape: weight (n_labels, width), bias (n_labels), centre (width), float64 on the CPU.
    """

    weight: Tensor
    bias: Tensor
    centre: Tensor
    largest: float

    def logits(self, vectors: Tensor) -> Tensor:
        """Shape: (n, width) to (n, n_labels), float64 on the CPU."""
        return F.linear(vectors.double().cpu() - self.centre, self.weight, self.bias)


def logistic_regression(
    vectors: Tensor,
    labels: Tensor,
    *,
    n_labels: int,
    class_weights: Tensor | None = None,
    most_rounds: int = _MOST_ROUNDS,
) -> LogisticRegression:
    """The least sum of cross-entropies, each times the weight of its label, plus half of the sum of squared weights.

    The bias costs nothing. This is the multinomial regression of scikit-learn's `LogisticRegression(C=1.0)`, found by
    L-BFGS with a strong Wolfe line search (Nocedal and Wright, Numerical Optimization, 2006, sections 3.1 and 7.2).
    Of several labels a text, each has a binary regression of its own, and no weights.

    Shape: vectors (n, width), labels (n), or (n, n_labels) with 1 where a text has the label, class_weights (n_labels).
    """
    vectors, wanted = vectors.detach().double().cpu(), labels.cpu()
    # The bias takes up what all vectors share: the same regression, found in far fewer rounds.
    centre = vectors.mean(dim=0)
    x = vectors - centre
    counts = None if class_weights is None else class_weights.double().cpu()
    total = float(len(wanted) if counts is None else counts[wanted].sum())
    entropy: Callable[[Tensor], Tensor]
    if wanted.dim() == 1:
        entropy = partial(F.cross_entropy, target=wanted, weight=counts, reduction="sum")
    else:
        entropy = partial(F.binary_cross_entropy_with_logits, target=wanted.double(), reduction="sum")
    weight = torch.zeros(n_labels, x.shape[1], dtype=torch.float64, requires_grad=True)
    bias = torch.zeros(n_labels, dtype=torch.float64, requires_grad=True)
    search = torch.optim.LBFGS(
        [weight, bias],
        max_iter=most_rounds,
        tolerance_grad=_LEAST_SLOPE,
        tolerance_change=0.0,
        line_search_fn="strong_wolfe",
    )

    def loss() -> Tensor:
        search.zero_grad()
        lost = entropy(F.linear(x, weight, bias))
        # A mean, so that the slope at which the search ends is the same for few examples and for many.
        mean: Tensor = (lost + 0.5 * weight.square().sum()) / total
        torch.autograd.backward(mean)
        return mean

    with torch.enable_grad():
        search.step(loss)  # type: ignore[no-untyped-call]  # torch's own
    return LogisticRegression(weight.detach(), bias.detach(), centre, float(x.abs().max()))


@dataclass(frozen=True)
class LogisticStart:
    """Lets a head of labels, or of words' tags, be the regression of the items in `batches`.

    It becomes that instead of steps, or before them, if the regression is better than the head as it is made; after
    them, if they have found nothing better.
    """

    head: SentenceHead | TokenHead
    batches: Sequence[list[int]]
    when: ToSteps = "instead"

    def fitted(self, read: Iterable[tuple[Tensor, Batch]]) -> LogisticRegression:
        """The regression of the batches, of which each comes with its states.

        Shape: states (rows, seq, hidden_width).
        """
        class_weights: Tensor | None = None
        vectors, labels = [], []
        for states, batch in read:
            wanted = batch.require_labels()
            if isinstance(self.head, TokenHead):
                tagged = wanted != IGNORED
                vectors.append(states[tagged].float())
                labels.append(wanted[tagged])
            else:
                vectors.append(mean_pool(states, batch.mask))
                labels.append(wanted)
            class_weights = batch.class_weights
        n_labels = self.head.out.out_features
        return logistic_regression(
            torch.cat(vectors),
            torch.cat(labels),
            n_labels=n_labels,
            class_weights=class_weights,
            most_rounds=_MOST_ROUNDS_BEFORE_STEPS if self.when == "before" else _MOST_ROUNDS,
        )

    def begin(self, found: LogisticRegression) -> None:
        """Let the head answer as the regression does; of a sentence, by numbers too small for tanh to matter."""
        if isinstance(self.head, TokenHead):
            with torch.no_grad():
                self.head.out.weight.copy_(found.weight)
                self.head.out.bias.copy_(found.bias - found.weight @ found.centre)
            return
        largest = _LARGEST_BEFORE_STEPS if self.when == "before" else _LARGEST_IN_TANH
        small = largest / max(found.largest, _LEAST_SPREAD)
        with torch.no_grad():
            self.head.dense.weight.copy_(small * torch.eye(len(self.head.dense.weight)))
            self.head.dense.bias.copy_(-small * found.centre)
            self.head.out.weight.copy_(found.weight / small)
            self.head.out.bias.copy_(found.bias)


@dataclass(frozen=True)
class TriedStart:
    """What came of looking whether a head shall start there. Losses are those of what is held out, times in seconds.

    `before` is measured of the head as it is made, and `loss` of the regression.
    """

    found: LogisticRegression
    before: Mapping[str, float]
    loss: float
    when: ToSteps
    finding_s: float
    evaluating_s: float

    @property
    def is_kept(self) -> bool:
        """Whether the head goes there before any step."""
        return self.when != "after" and self.loss < self.before["loss"]

    @property
    def ends_the_run(self) -> bool:
        """Whether it stays there, without steps."""
        return self.is_kept and self.when == "instead"

    def __str__(self) -> str:
        return f"held-out loss {self.before['loss']:.3f} → {self.loss:.3f}"
