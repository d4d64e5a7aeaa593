"""Numbers as people read them: counts with their noun, measurements with the digits they need."""


def counted(count: int, one: str, several: str = "") -> str:
    """``1 outcome``, ``1,204 outcomes``; ``several`` where it is more than an s at the end."""
    return f"{count:,} {one if count == 1 else several or f'{one}s'}"


def figures(number: float) -> str:
    """``number`` with four decimals or, where these say nothing or too much, four digits.

    Scores between 0 and 1 are most, so these are as they were: ``0.0417``. ``0.00000312`` is
    ``3.12e-06`` and ``1234567.8`` is ``1,234,568``.
    """
    size = abs(number)
    if size and not 5e-4 <= size < 1e12:
        return f"{number:.4g}"
    return f"{number:,.{max(0, 5 - len(str(int(size))))}f}"
