"""Search and replace that ignores case."""
import re


def replace(text, old, new):
    pattern = re.compile(re.escape(old), re.IGNORECASE)
    return pattern.sub(text, new)


def contains(text, part):
    return part.lower() in text.lower()
