"""What a task type may ask of a head."""

from typing import Protocol


class HeadFields(Protocol):
    """The fields of a `HeadConfig`, whose meaning stands there."""

    @property
    def task_type(self) -> str:
        """Of its answers."""
        ...

    @property
    def labels(self) -> tuple[str, ...]:
        """In the order of the outputs."""
        ...

    @property
    def allows_no_answer(self) -> bool:
        """Whether a question may have none."""
        ...

    @property
    def pairs(self) -> bool:
        """Whether it reads pairs of texts."""
        ...

    @property
    def max_answer_tokens(self) -> int:
        """Of the longest answer."""
        ...

    @property
    def source_language(self) -> str:
        """Of texts that are translated; empty where none are."""
        ...

    @property
    def target_languages(self) -> tuple[str, ...]:
        """That texts are translated into."""
        ...
