"""Inputs for each program of QuixBugs, drawn at random within what the program asks of its input.

Used by the script that compares a patched program with the right one. The same number gives equal
inputs, made anew each time: some programs change what they are given.
"""

import string
from collections.abc import Callable, Mapping
from random import Random
from typing import Any, Final

NodeClass = Callable[..., Any]
Maker = Callable[[Random], list[Any]]


def arguments(program: str, number: int, node: NodeClass | None) -> list[Any]:
    """Return the arguments of one call. Raises: KeyError for a program that is not known."""
    random = Random(f"{program}/{number}")
    if program in GRAPHS:
        if node is None:
            raise KeyError(program)
        return GRAPHS[program](random, node)
    return PLAIN[program](random)


def _numbers(random: Random, longest: int = 9, highest: int = 12) -> list[int]:
    return [random.randint(0, highest) for _ in range(random.randint(0, longest))]


def _word(random: Random, longest: int = 7, letters: str = "abcd") -> str:
    return "".join(random.choice(letters) for _ in range(random.randint(0, longest)))


def _nested(random: Random, depth: int = 3) -> list[Any]:
    return [
        _nested(random, depth - 1) if depth and random.random() < 0.4 else random.randint(0, 9)
        for _ in range(random.randint(0, 4))
    ]


def _sorted_and_one(random: Random) -> list[Any]:
    return [sorted(_numbers(random)), random.randint(-1, 13)]


def _heap(random: Random) -> list[Any]:
    """Every number at most one place away from where it belongs."""
    numbers = sorted(_numbers(random))
    for at in range(0, len(numbers) - 1, 2):
        if random.random() < 0.5:
            numbers[at], numbers[at + 1] = numbers[at + 1], numbers[at]
    return [numbers, random.randint(2, 4)]


def _kth(random: Random) -> list[Any]:
    numbers = [*_numbers(random), random.randint(0, 12)]
    return [numbers, random.randrange(len(numbers))]


def _items(random: Random) -> list[Any]:
    items = [[random.randint(1, 12), random.randint(1, 30)] for _ in range(random.randint(0, 6))]
    return [random.randint(0, 30), items]


def _palindrome(random: Random) -> list[Any]:
    half = [random.randint(1, 9), *(random.randint(0, 9) for _ in range(random.randint(0, 3)))]
    return [half + half[::-1][random.randint(0, 1) :]]


def _change(random: Random) -> list[Any]:
    coins = random.sample([1, 2, 3, 4, 5, 7, 10], random.randint(0, 4))
    return [coins, random.randint(-2, 15)]


def _postfix(random: Random) -> list[Any]:
    tokens: list[Any] = [float(random.randint(1, 9))]
    for _ in range(random.randint(0, 5)):
        tokens += [float(random.randint(1, 9)), random.choice("+-*/")]
    return [tokens]


def _infix(random: Random) -> list[Any]:
    tokens: list[Any] = [random.randint(1, 30)]
    for _ in range(random.randint(0, 5)):
        tokens += [random.choice("+-*/"), random.randint(1, 30)]
    return [tokens]


def _subsequences(random: Random) -> list[Any]:
    low = random.randint(-2, 4)
    return [low, low + random.randint(-1, 5), random.randint(0, 4)]


def _text(random: Random) -> list[Any]:
    """Words shorter than a line: of longer ones the right program makes no end."""
    words = [_word(random, 3) + "x" for _ in range(random.randint(0, 12))]
    return [" ".join(words), random.randint(10, 16)]


def _hanoi(random: Random) -> list[Any]:
    start, end = random.sample([1, 2, 3], 2)
    return [random.randint(0, 5), start, end]


PLAIN: Final[Mapping[str, Maker]] = {
    "bitcount": lambda random: [random.randint(0, 4000)],
    "bucketsort": lambda random: [_numbers(random), 13],
    "find_first_in_sorted": _sorted_and_one,
    "find_in_sorted": _sorted_and_one,
    "flatten": lambda random: [_nested(random)],
    "gcd": lambda random: [random.randint(1, 200), random.randint(0, 200)],
    "get_factors": lambda random: [random.randint(1, 400)],
    "hanoi": _hanoi,
    "is_valid_parenthesization": lambda random: [_word(random, 8, "()")],
    "kheapsort": _heap,
    "knapsack": _items,
    "kth": _kth,
    "lcs_length": lambda random: [_word(random), _word(random)],
    "levenshtein": lambda random: [_word(random, 5), _word(random, 5)],
    "lis": lambda random: [_numbers(random)],
    "longest_common_subsequence": lambda random: [_word(random), _word(random)],
    "max_sublist_sum": lambda random: [[each - 6 for each in _numbers(random)]],
    "mergesort": lambda random: [_numbers(random)],
    "next_palindrome": _palindrome,
    "next_permutation": lambda random: [random.sample(range(9), random.randint(2, 6))],
    "pascal": lambda random: [random.randint(1, 9)],
    "possible_change": _change,
    "powerset": lambda random: [random.sample("abcdefg", random.randint(0, 5))],
    "quicksort": lambda random: [_numbers(random)],
    "rpn_eval": _postfix,
    "shunting_yard": _infix,
    "sieve": lambda random: [random.randint(1, 80)],
    "sqrt": lambda random: [random.randint(1, 90), random.choice([0.5, 0.3, 0.1, 0.01])],
    "subsequences": _subsequences,
    "to_base": lambda random: [random.randint(1, 5000), random.randint(2, 36)],
    "wrap": _text,
}


def _graph(random: Random, node: NodeClass) -> list[Any]:
    nodes = [node(letter, None, []) for letter in string.ascii_uppercase[: random.randint(2, 6)]]
    for each in nodes:
        each.successors = random.sample(nodes, random.randint(0, min(3, len(nodes))))
    return nodes


def _search(random: Random, node: NodeClass) -> list[Any]:
    nodes = _graph(random, node)
    return [nodes[0], random.choice(nodes)]


def _linked(random: Random, node: NodeClass) -> list[Any]:
    head = None
    for number in range(random.randint(1, 7)):
        head = node(number, head)
    return [head]


def _maybe_cyclic(random: Random, node: NodeClass) -> list[Any]:
    (head,) = _linked(random, node)
    nodes = [head]
    while nodes[-1].successor is not None:
        nodes.append(nodes[-1].successor)
    if random.random() < 0.5:
        nodes[-1].successor = random.choice(nodes)
    return [head]


def _weighted(random: Random, node: NodeClass) -> list[Any]:
    """Weights are powers of two: no two paths are of one length."""
    nodes = _graph(random, node)
    edges = [(one, other) for one in nodes for other in one.successors]
    weights = random.sample([2**power for power in range(len(edges) + 2)], len(edges))
    return [dict(zip(edges, weights, strict=True)), nodes[0], random.choice(nodes)]


def _matrix(random: Random, _node: NodeClass) -> list[Any]:
    count = random.randint(1, 5)
    pairs = [(one, other) for one in range(count) for other in range(count) if one != other]
    chosen = random.sample(pairs, random.randint(0, len(pairs)))
    return [count, {pair: random.randint(1, 9) for pair in chosen}]


def _letters(random: Random, _node: NodeClass) -> list[Any]:
    letters = string.ascii_uppercase[: random.randint(2, 5)]
    pairs = [(one, other) for one in letters for other in letters if one < other]
    chosen = random.sample(pairs, random.randint(1, len(pairs)))
    sources = sorted({one for one, _other in chosen})
    edges = {pair: random.randint(-2, 9) for pair in chosen}
    edges.update({("A", one): 5 for one in sources if one != "A"})
    return ["A", edges]


def _tree(random: Random, _node: NodeClass) -> list[Any]:
    count = random.randint(2, 6)
    pairs = [(one, other) for one in range(count) for other in range(one)]
    chosen = random.sample(pairs, random.randint(1, len(pairs)))
    weights = random.sample(range(1, 40), len(chosen))
    return [dict(zip(chosen, weights, strict=True))]


def _ordered(random: Random, node: NodeClass) -> list[Any]:
    nodes = [node(number, None, [], [], [], []) for number in range(random.randint(1, 6))]
    for at, each in enumerate(nodes):
        for other in nodes[at + 1 :]:
            if random.random() < 0.4:
                each.outgoing_nodes.append(other)
                other.incoming_nodes.append(each)
    return [random.sample(nodes, len(nodes))]


GRAPHS: Final[Mapping[str, Callable[[Random, NodeClass], list[Any]]]] = {
    "breadth_first_search": _search,
    "depth_first_search": _search,
    "detect_cycle": _maybe_cyclic,
    "minimum_spanning_tree": _tree,
    "reverse_linked_list": _linked,
    "shortest_path_length": _weighted,
    "shortest_path_lengths": _matrix,
    "shortest_paths": _letters,
    "topological_ordering": _ordered,
}
