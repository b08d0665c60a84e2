"""What is asked of trainings, evaluations and generation, as values that need no torch."""

from adaptkit.requests.asked import AnyRequest, request_for
from adaptkit.requests.auto import Auto
from adaptkit.requests.domain import DomainRequest
from adaptkit.requests.explaining import Explaining
from adaptkit.requests.flat import request_of
from adaptkit.requests.language import LanguageRequest
from adaptkit.requests.measuring import Measuring
from adaptkit.requests.output import Output
from adaptkit.requests.plan import TrainingPlan
from adaptkit.requests.plan_file import read_plan
from adaptkit.requests.planning import Planning
from adaptkit.requests.pretrained import Pretrained
from adaptkit.requests.request import AdapterBelow, LoadedModel, Request
from adaptkit.requests.run import AskedTracker, Run
from adaptkit.requests.sampling import Sampling
from adaptkit.requests.selection import Selection
from adaptkit.requests.task import TaskRequest
from adaptkit.requests.text import TextRequest
from adaptkit.requests.training_report import TrainingReport

__all__ = [
    "AdapterBelow",
    "AnyRequest",
    "AskedTracker",
    "Auto",
    "DomainRequest",
    "Explaining",
    "LanguageRequest",
    "LoadedModel",
    "Measuring",
    "Output",
    "Planning",
    "Pretrained",
    "Request",
    "Run",
    "Sampling",
    "Selection",
    "TaskRequest",
    "TextRequest",
    "TrainingPlan",
    "TrainingReport",
    "read_plan",
    "request_for",
    "request_of",
]
