import pytest

from stack import EmptyStack, Stack


def test_pop_returns_the_last():
    stack = Stack()
    stack.push(1)
    stack.push(2)
    assert stack.pop() == 2
    assert len(stack) == 1


def test_pop_of_an_empty_stack_is_refused():
    with pytest.raises(EmptyStack):
        Stack().pop()


def test_a_full_stack_takes_no_more():
    stack = Stack(most=1)
    stack.push(1)
    stack.push(2)
    assert len(stack) == 1
