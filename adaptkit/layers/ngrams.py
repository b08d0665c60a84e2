"""A vector for each n-gram of a text's letters, whose sum moves what the network gives."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from adaptkit.config import SiteShape
from adaptkit.errors import ConfigError
from adaptkit.layers.adapter_layer import CountsText
from adaptkit.layers.text_read import TextRead, text_read
from adaptkit.layers.types import MasterLinear
from adaptkit.methods import NgramsConfig

_STD = 0.02
_SPACE = ord(" ")
# Products of numbers below 2^31 are exact in 64 bits, so that an n-gram has the same row on every device.
_PRIME, _FACTOR, _SPREAD = 2_147_483_629, 1_103_515_245, 1_640_531_527


class NgramsLayer(CountsText):
    """Adds `up(sum of the rows of a text's n-grams / sqrt(their number))` to the states of all tokens of the text.

    So a sentence vector moves by just that, whether it is a mean of the states or one of them. `up` starts at zero, so
    a fresh layer changes nothing.
    """

    def __init__(self, *, shortest: int, longest: int, n_rows: int, rank: int, width: int) -> None:
        super().__init__()
        self.shortest, self.longest = shortest, longest
        self.rows = nn.Parameter(torch.randn(n_rows, rank) * _STD)
        self.up = MasterLinear(rank, width)
        nn.init.zeros_(self.up.weight)
        nn.init.zeros_(self.up.bias)

    @property
    def n_rows(self) -> int:
        """How many rows n-grams are hashed to."""
        return self.rows.shape[0]

    @property
    def rank(self) -> int:
        """How wide they are."""
        return self.rows.shape[1]

    def forward(self, site_input: object, site_output: Tensor) -> Tensor:  # noqa: ARG002 - the layer contract
        """Shape: site_output and result (rows, seq, width).

        Raises:
            ConfigError: What the rows read is not known.
        """
        text = text_read()
        if text is None or text.ids.shape != site_output.shape[:-1]:
            raise ConfigError(
                "n-grams are those of the text, which the layer is not told here; let the model read it: "
                "model.encode(texts, stack=...), or model(ids, mask) while the stack is active."
            )
        return site_output + self.change(text)[:, None].to(site_output.dtype)

    def change(self, text: TextRead) -> Tensor:
        """What is added to each text. Shape: result (rows, width)."""
        places, weights = self.counted(text)
        summed = F.embedding_bag(places, self.rows, per_sample_weights=weights.to(self.rows.dtype), mode="sum")
        changed: Tensor = self.up(summed)
        return changed

    def counted(self, text: TextRead) -> tuple[Tensor, Tensor]:
        """The row of each n-gram of the texts and its weight: 1 / sqrt(n-grams of the text), or 0 where none is.

        Shape: both (rows, n-grams).
        """
        return ngrams_of(text.spelled(), shortest=self.shortest, longest=self.longest, n_rows=self.n_rows)

    def start_from(self, rows: Tensor, turned: Tensor, shift: Tensor) -> None:
        """Take these weights. Shape: rows (n_rows, rank), turned (width, rank), shift (width)."""
        with torch.no_grad():
            for weight, found in ((self.rows, rows), (self.up.weight, turned), (self.up.bias, shift)):
                weight.copy_(found)


def ngrams_of(letters: Tensor, *, shortest: int, longest: int, n_rows: int) -> tuple[Tensor, Tensor]:
    """The row of each n-gram of letters within a word and the spaces around it, and its weight.

    Shape: letters (rows, n_letters), as `TextRead.spelled` gives them; both results (rows, n-grams).
    """
    spaces = letters == _SPACE
    hashed, whole = torch.zeros_like(letters), letters > 0
    places, counted = [], []
    for length in range(1, min(longest, letters.shape[1]) + 1):
        n = letters.shape[1] - length + 1
        last = letters[:, length - 1 :]
        # That of n letters goes on from that of the n - 1 before the last one, which is not within it any more.
        hashed = (hashed[:, :n] * _FACTOR + last + length) % _PRIME
        whole = whole[:, :n] & (last > 0)
        if length > 2:
            whole = whole & ~spaces[:, length - 2 : length - 2 + n]
        if length >= shortest:
            places.append(hashed * _SPREAD % _PRIME % n_rows)
            counted.append(whole & ~(spaces[:, :n] & (last == _SPACE)) if length < 3 else whole)
    if not places:
        return letters[:, :0], letters[:, :0].float()
    valid = torch.cat(counted, dim=1).float()
    return torch.cat(places, dim=1), valid / valid.sum(dim=1, keepdim=True).clamp(min=1).sqrt()


def ngrams_layer(config: NgramsConfig, place: SiteShape) -> NgramsLayer:
    """A fresh layer behind the last block."""
    return NgramsLayer(
        shortest=config.shortest,
        longest=config.longest,
        n_rows=config.n_rows,
        rank=config.rank,
        width=place.out_width,
    )
