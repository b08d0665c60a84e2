"""Texts that a model writes: behind prompts, and as translations."""

from collections.abc import Iterator, Sequence
from typing import overload

from adaptkit.data.columns import require_texts
from adaptkit.model.abilities.parts import ModelParts
from adaptkit.model.generation import MAX_TRANSLATED_TOKENS, Generated, GeneratedPiece, Translator, Wanted
from adaptkit.model.stacks import StackLike
from adaptkit.requests import Sampling
from adaptkit.requests.sampling import GREEDY


class Texts(ModelParts):
    """A model writes: a decoder behind a prompt, and an encoder-decoder too what its encoder has read, translated."""

    @overload
    def generate(  # type: ignore[overload-overlap]  # one string is a sequence of strings too
        self,
        prompts: str,
        *,
        stack: StackLike = ...,
        stacks: Sequence[StackLike] | None = ...,
        max_new_tokens: int = ...,
        sampling: Sampling = ...,
        batch_size: int = ...,
        log_probabilities: bool = ...,
    ) -> Generated: ...
    @overload
    def generate(
        self,
        prompts: Sequence[str],
        *,
        stack: StackLike = ...,
        stacks: Sequence[StackLike] | None = ...,
        max_new_tokens: int = ...,
        sampling: Sampling = ...,
        batch_size: int = ...,
        log_probabilities: bool = ...,
    ) -> list[Generated]: ...
    def generate(
        self,
        prompts: str | Sequence[str],
        *,
        stack: StackLike = None,
        stacks: Sequence[StackLike] | None = None,
        max_new_tokens: int = 128,
        sampling: Sampling = GREEDY,
        batch_size: int = 16,
        log_probabilities: bool = False,
    ) -> Generated | list[Generated]:
        """What a decoder writes behind each prompt under `stack`, until it ends by itself or by the `sampling`.

        Of one string, its text alone. With `stacks`, each prompt is under its own; one batch may hold them all. The
        whole output projection is held from the first call on, which takes memory of its own where the embeddings are
        not resident. The invertible layer of a stack's last adapter is undone before tokens are predicted, as in its
        training.

        Raises:
            ConfigError: The backbone is an encoder, `prompts` holds something else than text, a prompt fills the
                window, a number cannot be right, or prompts and stacks differ in number.
            UnknownAdapter: A stack names an adapter that is not attached.
            CorruptBackbone: The decoder's output projection is not in its checkpoint.
            OutOfMemory: The memory does not hold a batch.
        """
        pieces = self.generate_stream(
            prompts,
            stack=stack,
            stacks=stacks,
            max_new_tokens=max_new_tokens,
            sampling=sampling,
            batch_size=batch_size,
            log_probabilities=log_probabilities,
        )
        ended = {piece.prompt: piece.generated for piece in pieces if piece.generated is not None}
        return ended[0] if isinstance(prompts, str) else [ended[number] for number in range(len(prompts))]

    def generate_stream(
        self,
        prompts: str | Sequence[str],
        *,
        stack: StackLike = None,
        stacks: Sequence[StackLike] | None = None,
        max_new_tokens: int = 128,
        sampling: Sampling = GREEDY,
        batch_size: int = 16,
        log_probabilities: bool = False,
    ) -> Iterator[GeneratedPiece]:
        """As `generate`, piece by piece: `for piece in ...: print(piece, end="")`.

        The pieces of a prompt, one behind the other, are its whole text. Stacks are looked up in the call itself.

        Raises:
            AdaptkitError: As `generate`; of memory, while pieces are asked for.
        """
        listed = [prompts] if isinstance(prompts, str) else prompts
        require_texts(listed, "prompts")
        each = self._stacks.for_each(len(listed), stack, stacks)
        if stacks is None:
            # Validate even when there are no inputs.
            self._stacks.one(stack)
        self._notices.of_forms([[prompt] for prompt in listed], each)
        return self._generator.pieces(
            listed,
            each,
            sampling,
            max_new_tokens=max_new_tokens,
            batch_size=batch_size,
            log_probabilities=log_probabilities,
        )

    @overload
    def translate(  # type: ignore[overload-overlap]  # one string is a sequence of strings too
        self,
        texts: str,
        *,
        to: str | None = ...,
        source_lang: str | None = ...,
        stack: StackLike = ...,
        stacks: Sequence[StackLike] | None = ...,
        max_new_tokens: int = ...,
        batch_size: int = ...,
    ) -> str: ...
    @overload
    def translate(
        self,
        texts: Sequence[str],
        *,
        to: str | None = ...,
        source_lang: str | None = ...,
        stack: StackLike = ...,
        stacks: Sequence[StackLike] | None = ...,
        max_new_tokens: int = ...,
        batch_size: int = ...,
    ) -> list[str]: ...
    def translate(
        self,
        texts: str | Sequence[str],
        *,
        to: str | None = None,
        source_lang: str | None = None,
        stack: StackLike = None,
        stacks: Sequence[StackLike] | None = None,
        max_new_tokens: int = MAX_TRANSLATED_TOKENS,
        batch_size: int = 16,
    ) -> str | list[str]:
        """Translations of texts `to` a language, each of one line, the most probable token each time.

        Of one string, its translation alone.

        The languages are those that the adapter on top of `stack` was trained to translate, where they are not named. A
        decoder is asked by a prompt (`English: <text>`, and in the next line `Swahili:`), an encoder-decoder by its
        tokens for languages, where it has them, else as T5 is (`translate English to Swahili: <text>`). Without an
        adapter for it, the backbone does what it can. With `stacks`, each text is under its own. A warning is logged
        once where texts are longer than an encoder reads; what fills a decoder's window is refused.

        Raises:
            ConfigError: The backbone is an encoder, a text that is empty or none, a language
                is not named or not trained, or texts and stacks differ in number.
            UnknownAdapter: A stack names an adapter that is not attached.
            OutOfMemory: The memory does not hold a batch.
        """
        listed = [texts] if isinstance(texts, str) else texts
        require_texts(listed, "texts", filled=True)
        each = self._stacks.for_each(len(listed), stack, stacks)
        wanted = [Wanted(text, source_lang, to) for text in listed]
        translator = Translator(self._passes, self._generator)
        found = translator.translations(
            wanted, each, self._notices, max_new_tokens=max_new_tokens, batch_size=batch_size
        )
        return found[0] if isinstance(texts, str) else found
