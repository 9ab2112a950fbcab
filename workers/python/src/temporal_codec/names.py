"""Names that stand in messages, shown so that a line stays a line."""

from __future__ import annotations

import re
from typing import Callable, Iterable, Sequence

from .errors import CodecOptionsError

_LONGEST_SHOWN = 256


def shown(name: str | bytes) -> str:
    """A name that came over the wire, as it may stand in an error: printable, and of at most 256 characters."""
    text = name.decode("utf-8", "replace") if isinstance(name, bytes) else name
    return "".join(it if it.isprintable() else "�" for it in text[:_LONGEST_SHOWN])


def listed(names: Iterable[str]) -> str:
    """Names for an error, sorted."""
    return ", ".join(sorted(names)) or "none"


def namespace_matcher(patterns: Sequence[str]) -> Callable[[str], bool]:
    """Matches full namespace names; ``*`` in a pattern stands for any run of characters.

    :raises CodecOptionsError: for a pattern that is not a text, or empty
    """
    if isinstance(patterns, str):
        raise CodecOptionsError("also_decode must be a list of namespaces")
    expressions = []
    for pattern in patterns:
        if not isinstance(pattern, str) or not pattern:
            raise CodecOptionsError("also_decode must name namespaces")
        expressions.append(".*".join(re.escape(part) for part in pattern.split("*")))
    expression = re.compile("|".join(expressions), re.DOTALL) if expressions else None
    return lambda namespace: expression is not None and expression.fullmatch(namespace) is not None
