"""The only place that knows the Language Server Protocol. Its contents come with the editors."""
