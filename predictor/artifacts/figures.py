"""Numbers as people read them: counts with their noun, measurements with the digits they need."""


def counted(count: int, one: str, several: str = "") -> str:
    """``1 outcome``, ``1,204 outcomes``; ``several`` is an irregular plural."""
    return f"{count:,} {one if count == 1 else several or f'{one}s'}"


def figures(number: float) -> str:
    """``number`` with four decimals or, where these are too few or too many, with four digits.

    Most scores are between 0 and 1: ``0.0417``. ``0.00000312`` becomes ``3.12e-06`` and
    ``1234567.8`` becomes ``1,234,568``.
    """
    size = abs(number)
    if size and not 5e-4 <= size < 1e12:
        return f"{number:.4g}"
    return f"{number:,.{max(0, 5 - len(str(int(size))))}f}"
