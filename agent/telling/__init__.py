"""How a run is told, whoever shows it: words, lines, where it stands, what it spent.

Pure: takes events and numbers, gives text and small values. Draws nothing and opens nothing.
"""
