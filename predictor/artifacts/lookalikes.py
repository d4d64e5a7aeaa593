"""Names that people would take for another name."""

from collections.abc import Iterator

from .contract import Contract
from .untrusted import is_invisible, shown


def lookalikes(contract: Contract) -> Iterator[str]:
    """Names that people would take for the same name, or for another."""
    groups = {"features": [f.name for f in contract.features], "flags": contract.flag_names}
    groups |= {f"labels of {f.name}": list(f.labels or {}) for f in contract.features}
    for what, names in groups.items():
        seen: dict[str, str] = {}
        for name in names:
            twin = seen.setdefault(name.strip().casefold(), name)
            if twin != name:
                yield f"two {what} differ only in case or space: {twin!r} and {name!r}"
            yield from _invisible(what, name)


def _invisible(what: str, name: str) -> Iterator[str]:
    """Warn of characters in a name that people cannot see."""
    if hidden := sorted({c for c in name if is_invisible(c)}):
        visible = "".join(c for c in name if c not in hidden)
        codes = ", ".join(f"U+{ord(c):04X}" for c in hidden)
        yield f"{what}: {shown(visible)!r} has invisible characters in it: {codes}"
