"""Measuring what an adapter is worth."""

from adaptkit.evaluation.topics import TopicHead

__all__ = ["TopicHead"]
