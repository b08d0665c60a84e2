"""Zero-shot topic classification: a head trained in one language, without any adapter, and tested in another."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from adaptkit.model import AdaptedModel, StackLike


class TopicHead:
    """Logistic regression on frozen sentence vectors."""

    def __init__(self, vectors: Tensor, topics: Sequence[str]) -> None:
        from sklearn.linear_model import LogisticRegression

        self._classifier = LogisticRegression(max_iter=5000).fit(vectors.numpy(), list(topics))

    @classmethod
    def trained_on(cls, model: AdaptedModel, texts: Sequence[str], topics: Sequence[str]) -> "TopicHead":
        """Train on labelled texts, encoded under no adapter."""
        return cls(model.encode(texts), topics)

    @property
    def topics(self) -> NDArray[np.str_]:
        """All that there are, in the order of their probabilities."""
        found: NDArray[np.str_] = self._classifier.classes_
        return found

    def probabilities(self, vectors: Tensor) -> NDArray[np.float64]:
        """Of each topic for each text. Shape: (n_texts, hidden_width) to (n_texts, n_topics)."""
        found: NDArray[np.float64] = self._classifier.predict_proba(vectors.numpy())
        return found

    def topics_of(self, vectors: Tensor) -> NDArray[np.str_]:
        """The topic of each text. Shape: (n_texts, hidden_width) to (n_texts)."""
        found: NDArray[np.str_] = self._classifier.predict(vectors.numpy())
        return found

    def correct(
        self, model: AdaptedModel, texts: Sequence[str], topics: Sequence[str], *, stack: StackLike = None
    ) -> NDArray[np.float64]:
        """1.0 for each text whose topic is found, 0.0 for the others. Shape: (len(texts))."""
        predicted = self.topics_of(model.encode(texts, stack=stack))
        return np.asarray(predicted == np.asarray(topics), dtype=np.float64)
