"""The only place that knows the Language Server Protocol; enters the agent by its front doors."""
