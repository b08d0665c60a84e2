"""CORAL: how far the covariances of two domains' features are apart."""

from torch import Tensor

from adaptkit.regularisers import Coral
from adaptkit.training.regularisers.two_domains import TwoDomains

_LEAST = 1e-16
"""Its square, by which backward divides, is a number of float32 too."""


class CoralTraining(TwoDomains[Coral]):
    """The squared Frobenius norm of the difference of two covariances, by the sum of their own squared norms.

    That sum stands where Sun and Saenko 2016 (arXiv:1607.01719) have `4 d^2`. With it the loss lies between 0, where
    the covariances are the same, and 1, whatever the scale and width of features: shrinking them gains nothing.
    """

    def distance(self, source: Tensor, target: Tensor) -> Tensor:
        """Shape: both (rows, hidden_width), result ()."""
        ours, theirs = _covariance(source), _covariance(target)
        sizes = ours.pow(2).sum() + theirs.pow(2).sum()
        apart: Tensor = (ours - theirs).pow(2).sum() / sizes.clamp(min=_LEAST)
        return apart


def _covariance(features: Tensor) -> Tensor:
    """Shape: (rows, width) -> (width, width); zeros for one row."""
    centred = features - features.mean(dim=0)
    return centred.T @ centred / max(len(features) - 1, 1)
