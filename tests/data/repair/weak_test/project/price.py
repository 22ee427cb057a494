"""Prices."""


def rounded(cents, step, up, floor, most):
    price = cents + step
    return price
