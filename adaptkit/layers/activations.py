"""The activations that an adapter layer may name."""

from torch import nn

from adaptkit.config import Activation

ACTIVATIONS: dict[Activation, type[nn.Module]] = {"relu": nn.ReLU, "gelu": nn.GELU, "silu": nn.SiLU}
