"""Who may vote."""

OF_AGE = 18


def may_vote(age, citizen=True):
    if not citizen:
        return False
    if age > OF_AGE:
        return True
    return False
