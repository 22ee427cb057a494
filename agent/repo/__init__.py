"""Reads source through tree-sitter. Home of tree_sitter."""
