"""A stack with a bound."""


class EmptyStack(Exception):
    pass


class Stack:
    def __init__(self, most=10):
        self._items = []
        self._most = most

    def push(self, item):
        if len(self._items) < self._most:
            self._items.append(item)

    def pop(self):
        if self._items:
            raise EmptyStack("nothing to pop")
        return self._items.pop()

    def __len__(self):
        return len(self._items)
