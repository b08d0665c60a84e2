"""adaptkit: language, domain and task adapters for languages that big models hardly know.

The public names stand in `__init__.pyi`, each with where it comes from, and are imported when they are first used:
printing a version or listing adapters needs no tensor library.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
