"""How large banks need to be for what runs now: what batches asked of them lately."""

from collections.abc import Sequence
from weakref import WeakKeyDictionary

from adaptkit.attaching.adapter_layers import AdapterLayers
from adaptkit.attaching.bank_sizes import BankSizes
from adaptkit.attaching.columns import Column

_LOOKED_AT = 1024


class BankNeeds:
    """Of so many batches at a time, and of twice as many each time that the banks were made smaller.

    Making banks anew may mean to compile anew, so those who need large ones now and then are to pay for it seldom.
    """

    def __init__(self, least: BankSizes) -> None:
        self._least = least
        self._looked_at = _LOOKED_AT
        self._n_batches, self._levels, self._slots = 0, 0, 0
        self._adapters: WeakKeyDictionary[AdapterLayers, None] = WeakKeyDictionary()

    def keep(self, sizes: BankSizes) -> None:
        """Let banks have these sizes at least, whatever batches need."""
        self._least = sizes

    def note(self, needed: Sequence[Column], in_one_row: int) -> None:
        """Note a batch that needs these columns, `in_one_row` of them in its deepest row."""
        self._n_batches += 1
        self._levels = max(self._levels, in_one_row)
        self._slots = max(self._slots, len(needed))
        # Weakly, so that what is detached goes; in the order in which they came, which banks then have.
        self._adapters.update(dict.fromkeys(column.layers for column in needed))

    def smaller(self, sizes: BankSizes) -> BankSizes | None:
        """What would have done instead of these sizes for the batches of late; None: these, or it is too early."""
        if self._n_batches < self._looked_at:
            return None
        found = self._least.with_room_for(self._adapters, in_one_row=self._levels, at_once=self._slots)
        self._begin()
        if found == sizes:
            return None
        self._looked_at *= 2
        return found

    def _begin(self) -> None:
        self._n_batches, self._levels, self._slots = 0, 0, 0
        self._adapters.clear()
