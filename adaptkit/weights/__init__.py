"""Adapters as numbers: combined, merged into a backbone, compared."""
