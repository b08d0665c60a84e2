"""Adapters of other libraries, read as ours and written as theirs, and adapters on a model hub."""

from adaptkit.interchange.adapterhub import import_adapterhub
from adaptkit.interchange.hub import HubAdapter, pull_adapter, push_adapter
from adaptkit.interchange.peft import export_peft, import_peft
from adaptkit.interchange.written_by import written_by

__all__ = [
    "HubAdapter",
    "export_peft",
    "import_adapterhub",
    "import_peft",
    "pull_adapter",
    "push_adapter",
    "written_by",
]
