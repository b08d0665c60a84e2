"""Stacks that were looked up, kept until something in them changes."""

from adaptkit.composition import Stack
from adaptkit.model.stacks import ResolvedStack

_Key = tuple[Stack, bool]
_MOST = 4096
"""A plan of a LoRA in 12 blocks takes a tenth of a megabyte."""


class RememberedStacks:
    """Resolved stacks by what was asked for; all are forgotten when they are too many.

    Reading needs no lock. Whoever changes it has the registry's.
    """

    def __init__(self) -> None:
        self._found: dict[_Key, ResolvedStack] = {}
        self._keys_with: dict[str, set[_Key]] = {}

    def __len__(self) -> int:
        return len(self._found)

    def get(self, asked: Stack) -> ResolvedStack | None:
        """A stack that was looked up before, if nothing in it has changed since."""
        return self._found.get((asked, asked.any_order))

    def keep(self, asked: Stack, found: ResolvedStack) -> None:
        """Remember what was found, by all names in it."""
        if len(self._found) >= _MOST:
            self.clear()
        key = (asked, asked.any_order)
        for name in {*asked.ids, *found.acting}:
            self._keys_with.setdefault(name, set()).add(key)
        self._found[key] = found

    def forget(self, *names: str) -> None:
        """Forget the stacks in which one of these ids or bare names stands."""
        for name in names:
            for key in self._keys_with.pop(name, ()):
                self._found.pop(key, None)

    def clear(self) -> None:
        """Forget all of them."""
        self._found.clear()
        self._keys_with.clear()
