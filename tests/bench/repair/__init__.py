"""How many real bugs the offline search fixes, and how far its labels can be trusted."""
