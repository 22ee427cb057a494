"""Try again a few times."""
from dataclasses import dataclass


@dataclass
class Policy:
    tries: int = 2
    factor: float = 1.0

    def run(self, action):
        for left in reversed(range(self.tries)):
            try:
                return action()
            except OSError:
                if left == 0:
                    raise
