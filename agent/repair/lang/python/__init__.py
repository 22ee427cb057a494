"""Python as the templates see it."""
