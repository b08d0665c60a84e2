"""Values as JSON has them."""

import math
from collections.abc import Mapping


def as_json(value: object) -> object:
    """A value of lists, mappings and plain values; a dataclass is a mapping of its fields, a tuple is a list.

    NaN and the infinities are None: JSON has no such numbers, and null is what readers know for none.
    """
    fields = getattr(value, "__dataclass_fields__", None)
    if fields is not None:
        return {name: as_json(getattr(value, name)) for name in fields}
    if isinstance(value, Mapping):
        return {str(name): as_json(part) for name, part in value.items()}
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return [as_json(part) for part in value] if isinstance(value, tuple | list) else value
