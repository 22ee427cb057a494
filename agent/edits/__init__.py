"""Pure edits: match, apply, diff, hunks. Bytes in, values out; no IO, no git, no async."""
