"""Adapters of other libraries, read as ours and written as theirs, and adapters on a model hub."""

from adaptkit.interchange.hub import HubAdapter, pull_adapter, push_adapter
from adaptkit.interchange.peft import export_peft, import_peft

__all__ = ["HubAdapter", "export_peft", "import_peft", "pull_adapter", "push_adapter"]
