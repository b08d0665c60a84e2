"""What an adapter or a zoo proves of itself, and who stands for it."""

from adaptkit.verification.signature import require_signature, sign
from adaptkit.verification.verify import verify

__all__ = ["require_signature", "sign", "verify"]
