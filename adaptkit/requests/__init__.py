"""Requests for trainings, as values that need no torch: what is trained, on what, how, and what is written."""

from adaptkit.requests.asked import AnyRequest, request_for
from adaptkit.requests.auto import Auto
from adaptkit.requests.domain import DomainRequest
from adaptkit.requests.flat import request_of
from adaptkit.requests.language import LanguageRequest
from adaptkit.requests.output import Output
from adaptkit.requests.pretrained import Pretrained
from adaptkit.requests.request import AdapterBelow, LoadedModel, Request
from adaptkit.requests.run import Run
from adaptkit.requests.task import TaskRequest
from adaptkit.requests.text import TextRequest

__all__ = [
    "AdapterBelow",
    "AnyRequest",
    "Auto",
    "DomainRequest",
    "LanguageRequest",
    "LoadedModel",
    "Output",
    "Pretrained",
    "Request",
    "Run",
    "TaskRequest",
    "TextRequest",
    "request_for",
    "request_of",
]
