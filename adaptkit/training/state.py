"""The numbers that a training run changes."""

import torch
from torch import Tensor, nn


class TrainingState:
    """Every tensor that a run changes: trained weights, the best ones so far, and the optimizer's moments."""

    def __init__(self, trained: dict[str, nn.Parameter], optimizer: torch.optim.AdamW) -> None:
        self._trained = trained
        self._optimizer = optimizer
        self._best: dict[str, Tensor] = {name: tensor.detach().clone() for name, tensor in trained.items()}

    def keep_best(self) -> None:
        """Remember the weights of now as the best ones."""
        with torch.no_grad():
            for name, tensor in self._trained.items():
                self._best[name].copy_(tensor)

    def use_best(self) -> None:
        """Put the best weights back."""
        with torch.no_grad():
            for name, tensor in self._trained.items():
                tensor.copy_(self._best[name])

    def is_finite(self) -> bool:
        """Whether no number of it is NaN or infinite."""
        return all(bool(torch.isfinite(tensor).all()) for tensor in self.tensors().values())

    def tensors(self) -> dict[str, Tensor]:
        """All of it under `weights.`, `best.`, `moment1.`, `moment2.` and `count.`."""
        tensors: dict[str, Tensor] = {}
        for name, parameter in self._trained.items():
            tensors[f"weights.{name}"] = parameter
            tensors[f"best.{name}"] = self._best[name]
            moments = self._optimizer.state.get(parameter) or _no_moments(parameter)
            tensors[f"moment1.{name}"] = moments["exp_avg"]
            tensors[f"moment2.{name}"] = moments["exp_avg_sq"]
            tensors[f"count.{name}"] = moments["step"].reshape(1)
        return tensors

    def restore(self, tensors: dict[str, Tensor]) -> None:
        """Take the numbers of a checkpoint."""
        with torch.no_grad():
            for name, parameter in self._trained.items():
                parameter.copy_(tensors[f"weights.{name}"])
                self._best[name].copy_(tensors[f"best.{name}"])
                if tensors[f"count.{name}"].item() > 0:
                    self._optimizer.state[parameter] = {
                        # Beside its weight: a GPU's fused kernel takes the address of the count as one of its own.
                        "step": tensors[f"count.{name}"].reshape(()).to(parameter.device),
                        # The fused optimizer walks through memory, so moments lie in it as the weights do.
                        "exp_avg": torch.empty_like(parameter).copy_(tensors[f"moment1.{name}"]),
                        "exp_avg_sq": torch.empty_like(parameter).copy_(tensors[f"moment2.{name}"]),
                    }


def _no_moments(parameter: Tensor) -> dict[str, Tensor]:
    # Two tensors, as safetensors refuses to write one memory under two names.
    return {"exp_avg": torch.zeros_like(parameter), "exp_avg_sq": torch.zeros_like(parameter), "step": torch.zeros(1)}
