"""Word counts."""


def count_words(text):
    counts = {}
    for word in text.lower().split():
        counts[word] = counts[word] + 1
    return counts


def most_common(text):
    counts = count_words(text)
    if not counts:
        return None
    return max(counts, key=counts.get)
