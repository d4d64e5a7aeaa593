"""Files of any size, scored by a command: read, answered and refused row by row.

``sources`` reads rows, ``outputs`` writes them so that what was written can be cut off anywhere,
``journal`` says how far both are, ``run`` goes on from there.
"""
