"""Steps of a score: coarse values for an index of the log that is sorted by score.

Scores come in random order, so in an index on the scores each new row changes a different page. An
index on steps and then ids appends the rows of a step one after another: few pages change, one per
step. In return, the database sorts the rows of a step by score when a page needs them: some tens
of thousands, in a million rows with uniform scores.
"""

from struct import Struct

_FRACTION = 5  # bits of the fraction that count: 32 steps from 0.5 to 1, as from 0.25 to 0.5
_DOUBLE, _HEAD = Struct(">d"), Struct(">i4x")
_REST = 32 - 12 - _FRACTION  # ignored bits of the first 32; 12 are sign and exponent
_NO_SIGN = 0x7FFFFFFF


def step_of(score: float) -> int:
    """The step of a score: a higher score never has a lower step.

    The sign, exponent and first fraction bits of an IEEE 754 double, which sort like the numbers
    apart from the sign.
    """
    head: int = _HEAD.unpack(_DOUBLE.pack(score))[0]
    return head >> _REST if head >= 0 else -((head & _NO_SIGN) >> _REST)
