"""Names of modules as other libraries write them, without what wraps a network during its training."""

_AROUND = "module"
_ANYWHERE = frozenset({"_orig_mod", "_fsdp_wrapped_module", "_checkpoint_wrapped_module"})


def unwrapped(name: str) -> str:
    """The name of a module or tensor in the network itself.

    DistributedDataParallel puts `module` before it; torch.compile, FSDP and checkpointing put names of theirs anywhere.
    """
    parts = [part for part in name.split(".") if part not in _ANYWHERE]
    while parts[:1] == [_AROUND]:
        del parts[0]
    return ".".join(parts)
