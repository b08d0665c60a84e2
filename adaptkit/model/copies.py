"""Copies of a backbone's network, for what is exported or merged."""

import copy

from transformers import PreTrainedModel

from adaptkit.attaching import SiteHooks
from adaptkit.backbones import Backbone, all_blocks_of


def copy_without_hooks(backbone: Backbone, hooks: SiteHooks) -> PreTrainedModel:
    """A copy of the network without our hooks; the frozen embedding table is shared, not copied."""
    table = backbone.network.get_submodule(backbone.architecture.word_embeddings)
    # Our hooks are not copied either: another thread may be using them.
    network = copy.deepcopy(backbone.network, {id(table): table, id(hooks): hooks})
    shared = set(table.modules())
    for module in network.modules():
        if module not in shared:
            module._forward_hooks.clear()
    for block in all_blocks_of(network):
        vars(block).pop("forward", None)
        setattr(block, "gradient_checkpointing", False)  # noqa: B010 - a plain attribute, which mypy takes for a module
        block.training = False
    return network
