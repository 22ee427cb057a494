"""Judges plausible patches: which behave alike, what tells them apart, how far one is believed."""
