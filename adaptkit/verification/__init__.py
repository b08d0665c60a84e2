"""Proving an adapter against a backbone."""

from adaptkit.verification.verify import verify

__all__ = ["verify"]
