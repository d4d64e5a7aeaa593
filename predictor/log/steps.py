"""Steps of a score: as coarse as an index of the log can be that is in the order of the score.

Scores come in random order, so in an index on the scores themselves each new row changes a page of
its own. In an index on steps and then on ids the rows of a step come one after another: as few
pages change as there are steps. The price is that the database sorts the rows of a step by their
scores when a page asks for them: some tens of thousands, of a million with evenly drawn scores.
"""

from struct import Struct

_FRACTION = 5  # bits of the fraction that count: 32 steps from 0.5 to 1, as from 0.25 to 0.5
_DOUBLE, _HEAD = Struct(">d"), Struct(">i4x")
_REST = 32 - 12 - _FRACTION  # bits of the head that do not count; 12 are sign and exponent
_NO_SIGN = 0x7FFFFFFF


def step_of(score: float) -> int:
    """The step that a score is on: of two scores the higher one is never on the lower step.

    Sign, exponent and first bits of an IEEE 754 double, which are in the order of the numbers but
    for the sign.
    """
    head: int = _HEAD.unpack(_DOUBLE.pack(score))[0]
    return head >> _REST if head >= 0 else -((head & _NO_SIGN) >> _REST)
