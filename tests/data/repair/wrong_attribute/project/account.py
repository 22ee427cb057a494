"""Accounts with a limit."""


class Account:
    def __init__(self, balance, limit=0):
        self.balance = balance
        self.limit = limit

    def withdraw(self, amount):
        if amount > self.balance + self.limit:
            raise ValueError("not enough money")
        self.limit -= amount
        return amount

    def transfer(self, other, amount):
        other.balance += self.withdraw(amount)
