"""Which page an entry stands on; pages and entries count from one."""


def page_count(entries, per_page):
    """Return how many pages the entries fill."""
    if per_page < 1:
        raise ValueError("a page holds at least one entry")
    return -(-entries // per_page)


def page_of(entry, per_page):
    """Return the page of an entry."""
    if entry < 1:
        raise ValueError("entries count from one")
    return page_count(entry, per_page)
