"""Tries proposals: quickly as a filter, and again from scratch before anybody hears of them."""
