"""The base, attempts over it, trusted git, paths that cannot escape, review. Home of GitPython."""
