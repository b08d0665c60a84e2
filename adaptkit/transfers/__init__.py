"""A task brought from the language of its labels to another one: all that helps is trained, and the best way chosen."""

from adaptkit.transfers.transfer import transfer_task
from adaptkit.transfers.transferred import MeasuredWay, TransferredTask

__all__ = ["MeasuredWay", "TransferredTask", "transfer_task"]
