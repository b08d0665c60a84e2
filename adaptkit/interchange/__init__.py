"""Adapters of other libraries, read as ours and written as theirs."""

from adaptkit.interchange.peft import export_peft, import_peft

__all__ = ["export_peft", "import_peft"]
