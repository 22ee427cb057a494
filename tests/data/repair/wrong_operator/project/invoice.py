"""Totals of an invoice."""


def subtotal(lines):
    return sum(quantity * price for quantity, price in lines)


def discounted(lines, rate):
    amount = subtotal(lines)
    return amount + amount * rate


def with_tax(lines, rate, tax):
    return discounted(lines, rate) * (1 + tax)
