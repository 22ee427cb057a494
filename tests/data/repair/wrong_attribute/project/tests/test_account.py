import pytest

from account import Account


def test_transfer_leaves_the_rest():
    one, other = Account(100), Account(0)
    one.transfer(other, 30)
    assert (one.balance, other.balance) == (70, 30)


def test_limit_stays():
    account = Account(10, limit=50)
    account.withdraw(40)
    assert account.limit == 50


def test_too_much_is_refused():
    with pytest.raises(ValueError, match="not enough"):
        Account(10).withdraw(11)
