"""Adapters of other libraries, read as ours and written as theirs."""

from adaptkit.interchange.adapterhub import import_adapterhub
from adaptkit.interchange.peft import export_peft, import_peft
from adaptkit.interchange.written_by import written_by

__all__ = ["export_peft", "import_adapterhub", "import_peft", "written_by"]
