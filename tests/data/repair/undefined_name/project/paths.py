"""Parts of file names."""
import os


def suffix(name):
    return os.path.splitext(nmae)[1]


def stem(name):
    return os.path.splitext(os.path.basename(name))[0]
