"""A zoo as a server: OpenAI's embeddings, heads, and adapters loaded and unloaded while others are answered.

request ── spec (bounds, names) ── job ── queue ── worker: one batch of all that waits ── reply ── JSON
                │
            shelf: what the zoo has, what is unloaded

Values (`limits`, `refusal`, `body`, `shelf`, `jobs`, `listed`, `rendered`) need neither torch nor a web framework. The
process that speaks HTTP holds them; the workers hold the models.
"""

from adaptkit.serving.limits import Limits

__all__ = ["Limits"]
