"""The offline strategy: locate, templates, search, validate, judge. No model, no network."""
