"""What names mean: whole ids, and bare names, which several ids may share."""

import difflib

from adaptkit.errors import AmbiguousAdapter, UnknownAdapter


class AdapterNames:
    """The ids that stand for something, in the order in which they came."""

    def __init__(self) -> None:
        self._ids: dict[str, None] = {}
        self._by_bare_name: dict[str, list[str]] = {}

    def __contains__(self, adapter_id: str) -> bool:
        return adapter_id in self._ids

    @property
    def ids(self) -> tuple[str, ...]:
        """All of them."""
        return tuple(self._ids)

    def add(self, adapter_id: str) -> None:
        """Let an id that is not there yet stand for something."""
        self._ids[adapter_id] = None
        self._by_bare_name.setdefault(bare(adapter_id), []).append(adapter_id)

    def remove(self, adapter_id: str) -> None:
        """Let an id stand for nothing."""
        del self._ids[adapter_id]
        self._by_bare_name[bare(adapter_id)].remove(adapter_id)

    def meant_by(self, name: str) -> list[str]:
        """The ids that an id or a bare name may mean."""
        return [name] if name in self._ids else list(self._by_bare_name.get(name, ()))

    def resolve(self, name: str) -> str:
        """The one id that a name means.

        Raises:
            UnknownAdapter, AmbiguousAdapter: None, or several.
        """
        candidates = self.meant_by(name)
        if len(candidates) > 1:
            raise AmbiguousAdapter(name, candidates)
        if not candidates:
            raise UnknownAdapter(name, self.ids, self.like(name))
        return candidates[0]

    def like(self, name: str) -> list[str]:
        """Ids and bare names that may have been meant by a name that is none."""
        near = difflib.get_close_matches(name, [*self.ids, *self._by_bare_name], n=2)
        return [each for each in near if self.meant_by(each)]


def bare(adapter_id: str) -> str:
    """The name without the kind."""
    return adapter_id.partition("/")[2]
