"""Files of any size, scored by a command: read, answered and refused row by row.

``sources`` reads rows, ``outputs`` writes answers so that the file can be cut off anywhere,
``journal`` records how far both are, ``run`` resumes there.
"""
