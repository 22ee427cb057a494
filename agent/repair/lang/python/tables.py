"""Python's words: node types, operators and what they are mistaken for, usual mix-ups of names.

The priors were set by hand after the shares of fix patterns in mined one-line fixes (TSSB-3M,
Richter and Wehrheim 2022); learnt ones can replace them without touching a template.
"""

from collections.abc import Mapping
from typing import Final

from agent.repair.lang.base import Kind, Words

KINDS: Final[Mapping[str, Kind]] = {
    "identifier": Kind.NAME,
    "attribute": Kind.ATTRIBUTE,
    "call": Kind.CALL,
    "comparison_operator": Kind.COMPARISON,
    "boolean_operator": Kind.LOGIC,
    "not_operator": Kind.NEGATION,
    "binary_operator": Kind.ARITHMETIC,
    "unary_operator": Kind.SIGN,
    "assignment": Kind.ASSIGNMENT,
    "augmented_assignment": Kind.UPDATE,
    "integer": Kind.INTEGER,
    "float": Kind.NUMBER,
    "string": Kind.STRING,
    "true": Kind.TRUE,
    "false": Kind.FALSE,
    "none": Kind.NONE,
    "subscript": Kind.INDEX,
    "slice": Kind.SLICE,
    "conditional_expression": Kind.CHOICE,
    "list": Kind.CONTAINER,
    "tuple": Kind.CONTAINER,
    "dictionary": Kind.CONTAINER,
    "set": Kind.CONTAINER,
    "return_statement": Kind.RETURN,
    "if_statement": Kind.BRANCH,
    "elif_clause": Kind.BRANCH,
    "while_statement": Kind.BRANCH,
    "for_statement": Kind.LOOP,
    "for_in_clause": Kind.LOOP,
    "break_statement": Kind.JUMP,
    "continue_statement": Kind.JUMP,
    "except_clause": Kind.HANDLER,
    "pair": Kind.PAIR,
    "keyword_argument": Kind.KEYWORD,
    "parenthesized_expression": Kind.EXPRESSION,
    "list_comprehension": Kind.EXPRESSION,
    "generator_expression": Kind.EXPRESSION,
    "dictionary_comprehension": Kind.EXPRESSION,
    "set_comprehension": Kind.EXPRESSION,
    "concatenated_string": Kind.EXPRESSION,
    "await": Kind.EXPRESSION,
    "lambda": Kind.EXPRESSION,
}

EXPRESSIONS: Final = frozenset(
    {
        Kind.NAME,
        Kind.ATTRIBUTE,
        Kind.CALL,
        Kind.COMPARISON,
        Kind.LOGIC,
        Kind.NEGATION,
        Kind.ARITHMETIC,
        Kind.SIGN,
        Kind.INTEGER,
        Kind.NUMBER,
        Kind.STRING,
        Kind.TRUE,
        Kind.FALSE,
        Kind.NONE,
        Kind.INDEX,
        Kind.CHOICE,
        Kind.CONTAINER,
        Kind.EXPRESSION,
    }
)

WORDS: Final = Words(
    none="None",
    true="True",
    false="False",
    is_none="{} is None",
    is_present="{} is not None",
    truthy_guard="{indent}if not {name}:\n{indent}    return {value}\n",
    none_guard="{indent}if {name} is None:\n{indent}    return {value}\n",
    choice="{value} if {condition} else {other}",
    or_else="({value} or {other})",
    lookup="{owner}.get({key})",
    lookup_or="{owner}.get({key}, {other})",
    slice="{low}:{high}",
    reversed_slice="::-1",
    last_index="-1",
    returning="return {value}",
    added="{name} += {value}",
    initialise="{indent}{name} = {value}\n",
    import_module="import {name}\n",
    also_caught="({caught}, {error})",
    waited="await {value}",
    grouped="({})",
    own="self",
    empties=("None", "[]", "0", "''", "False", "True", "{}", "()"),
)

OPERATOR_SWAPS: Final[Mapping[str, tuple[tuple[str, float], ...]]] = {
    "<": (("<=", 0.9), (">", 0.6), (">=", 0.5), ("!=", 0.3), ("==", 0.3)),
    "<=": (("<", 0.9), (">=", 0.6), (">", 0.5), ("==", 0.3), ("!=", 0.25)),
    ">": ((">=", 0.9), ("<", 0.6), ("<=", 0.5), ("!=", 0.35), ("==", 0.3)),
    ">=": ((">", 0.9), ("<=", 0.6), ("<", 0.5), ("==", 0.3), ("!=", 0.25)),
    "==": (
        ("!=", 0.8),
        ("is", 0.4),
        ("<=", 0.45),
        (">=", 0.45),
        ("in", 0.4),
        ("<", 0.3),
        (">", 0.3),
    ),
    "!=": (("==", 0.8), ("is not", 0.4), ("<", 0.4), (">", 0.4), ("not in", 0.35)),
    "is": (("==", 0.8), ("is not", 0.7)),
    "is not": (("!=", 0.8), ("is", 0.7)),
    "in": (("not in", 0.8), ("==", 0.45)),
    "not in": (("in", 0.8), ("!=", 0.4)),
    "and": (("or", 0.8),),
    "or": (("and", 0.8),),
    "+": (("-", 0.7), ("*", 0.35), ("|", 0.2), ("/", 0.15), ("%", 0.15), ("//", 0.15)),
    "-": (("+", 0.7), ("*", 0.25), ("/", 0.2), ("%", 0.2), ("//", 0.2)),
    "*": (("+", 0.5), ("/", 0.5), ("**", 0.5), ("//", 0.4), ("-", 0.25), ("%", 0.15)),
    "/": (("//", 0.8), ("*", 0.5), ("%", 0.4), ("-", 0.2)),
    "//": (("/", 0.7), ("%", 0.6), ("*", 0.4)),
    "%": (("//", 0.7), ("/", 0.4), ("*", 0.3), ("-", 0.2)),
    "**": (("*", 0.7), ("//", 0.1)),
    "<<": ((">>", 0.8), ("*", 0.1)),
    ">>": (("<<", 0.8), ("//", 0.1)),
    "&": (("|", 0.8), ("^", 0.6), ("and", 0.3)),
    "|": (("&", 0.8), ("^", 0.6), ("or", 0.3)),
    "^": (("&", 0.8), ("|", 0.7), ("**", 0.5)),
    "@": (("*", 0.5),),
    "~": (("not ", 0.3), ("-", 0.4)),
    "+=": (("-=", 0.7), ("=", 0.55), ("*=", 0.4), ("|=", 0.2)),
    "-=": (("+=", 0.7), ("=", 0.5), ("//=", 0.2)),
    "*=": (("+=", 0.5), ("/=", 0.4), ("**=", 0.4), ("=", 0.4), ("//=", 0.3)),
    "/=": (("//=", 0.7), ("*=", 0.5), ("=", 0.3)),
    "//=": (("/=", 0.6), ("*=", 0.4), ("%=", 0.4), ("=", 0.3)),
    "%=": (("//=", 0.6), ("=", 0.4)),
    "**=": (("*=", 0.6),),
    "&=": (("|=", 0.7), ("^=", 0.5), ("=", 0.3)),
    "|=": (("&=", 0.7), ("^=", 0.5), ("=", 0.4)),
    "^=": (("&=", 0.6), ("|=", 0.6)),
    "<<=": ((">>=", 0.8),),
    ">>=": (("<<=", 0.8),),
}

SYMMETRIC: Final = frozenset({"==", "!=", "is", "is not", "and", "or"})
DIFFERING: Final = frozenset({"!=", "is not"})
DIVIDERS: Final = frozenset({"/", "//", "%"})
JUMPS: Final[Mapping[str, str]] = {"break": "continue", "continue": "break"}
COUNTERS: Final = frozenset({"range"})

CALL_SWAPS: Final[Mapping[str, tuple[str, ...]]] = {
    "append": ("extend", "add", "insert"),
    "extend": ("append", "update"),
    "add": ("update", "append", "discard"),
    "update": ("add", "setdefault"),
    "remove": ("discard", "pop"),
    "discard": ("remove", "add"),
    "pop": ("popleft", "remove", "popitem"),
    "popleft": ("pop",),
    "appendleft": ("append",),
    "insert": ("append",),
    "lower": ("upper", "casefold", "title"),
    "upper": ("lower", "title", "capitalize"),
    "capitalize": ("title", "upper"),
    "title": ("capitalize",),
    "startswith": ("endswith",),
    "endswith": ("startswith",),
    "strip": ("lstrip", "rstrip"),
    "lstrip": ("strip", "rstrip", "removeprefix"),
    "rstrip": ("strip", "lstrip", "removesuffix"),
    "removeprefix": ("removesuffix",),
    "removesuffix": ("removeprefix",),
    "find": ("rfind", "index"),
    "rfind": ("find", "rindex"),
    "index": ("find", "rindex"),
    "rindex": ("index",),
    "split": ("rsplit", "splitlines", "partition"),
    "rsplit": ("split",),
    "partition": ("rpartition",),
    "rpartition": ("partition",),
    "splitlines": ("split",),
    "ljust": ("rjust", "center"),
    "rjust": ("ljust", "zfill"),
    "keys": ("values", "items"),
    "values": ("keys", "items"),
    "items": ("keys", "values"),
    "get": ("pop", "setdefault"),
    "setdefault": ("get",),
    "match": ("search", "fullmatch"),
    "search": ("match", "fullmatch"),
    "fullmatch": ("match", "search"),
    "encode": ("decode",),
    "decode": ("encode",),
    "isdigit": ("isdecimal", "isnumeric", "isalnum"),
    "isalpha": ("isalnum", "isidentifier"),
    "isalnum": ("isalpha", "isdigit"),
    "islower": ("isupper",),
    "isupper": ("islower",),
    "union": ("intersection", "difference"),
    "intersection": ("union", "difference"),
    "difference": ("symmetric_difference", "intersection"),
    "issubset": ("issuperset",),
    "issuperset": ("issubset",),
    "min": ("max",),
    "max": ("min",),
    "any": ("all",),
    "all": ("any",),
    "sorted": ("reversed", "list"),
    "reversed": ("sorted",),
    "list": ("set", "tuple", "dict"),
    "set": ("list", "frozenset"),
    "int": ("float", "round", "str"),
    "float": ("int",),
    "str": ("repr", "int"),
    "repr": ("str",),
    "floor": ("ceil",),
    "ceil": ("floor",),
    "round": ("int",),
    "sum": ("len", "max"),
    "len": ("sum",),
    "isinstance": ("issubclass",),
    "issubclass": ("isinstance",),
    "getattr": ("hasattr",),
    "hasattr": ("getattr",),
    "bisect_left": ("bisect_right",),
    "bisect_right": ("bisect_left",),
    "heappush": ("heappop",),
}

WRAPPERS: Final = (
    "list", "str", "int", "len", "abs", "set", "sorted", "tuple", "bool", "float", "dict",
    "reversed", "iter", "repr", "sum", "max", "min", "round",
)  # fmt: skip

METHODS: Final = ("strip", "lower", "items", "values", "keys", "copy", "upper")

CONVERSIONS: Final = (
    ("list({})", "sequence"),
    ("list({})", "generator"),
    ("list({})", "subscriptable"),
    ("list({})", "len()"),
    ("tuple({})", "generator"),
    ("str({})", "str"),
    ("int({})", "int"),
    ("len({})", "int"),
    ("tuple({})", "hash"),
    ("iter({})", "iterator"),
    ("float({})", "float"),
    ("sorted({})", "sorted"),
    ("bytes({})", "bytes"),
    ("{}.encode()", "bytes"),
    ("{}.decode()", "bytes"),
)
"""What a value of the wrong type may be turned into, and the word of a message that asks for it."""

WITH_DEFAULT: Final[Mapping[str, tuple[int, str]]] = {
    "next": (1, "{callee}({arguments}, {value})"),
    "max": (1, "{callee}({arguments}, default={value})"),
    "min": (1, "{callee}({arguments}, default={value})"),
    "getattr": (2, "{callee}({arguments}, {value})"),
    "pop": (1, "{callee}({arguments}, {value})"),
    "reduce": (2, "{callee}({arguments}, {value})"),
}

BUILTINS: Final = (
    "len", "range", "enumerate", "zip", "sorted", "min", "max", "sum", "any", "all", "abs", "int",
    "str", "list", "dict", "set", "tuple", "isinstance", "getattr", "hasattr", "reversed", "map",
    "filter", "next", "iter", "round", "bool", "float", "repr", "type", "bytes",
    "ValueError", "TypeError", "KeyError", "IndexError", "AttributeError",
)  # fmt: skip

GIVING_NOTHING: Final = frozenset(
    {"get", "match", "search", "fullmatch", "find", "group", "getattr", "next", "pop", "first"}
    | {"setdefault", "getenv", "getmodule", "getdoc", "find_spec", "lastgroup"}
)
"""What returns None where there is nothing to be had."""

STANDARD_MODULES: Final = frozenset(
    {
        "abc", "ast", "base64", "bisect", "collections", "contextlib", "copy", "csv", "datetime",
        "decimal", "enum", "functools", "hashlib", "heapq", "html", "io", "itertools", "json",
        "logging", "math", "operator", "os", "pathlib", "pickle", "random", "re", "shutil",
        "statistics", "string", "struct", "subprocess", "sys", "tempfile", "textwrap", "threading",
        "time", "traceback", "types", "typing", "unicodedata", "urllib", "uuid", "warnings",
        "weakref", "zlib",
    }
)  # fmt: skip
"""What an undefined name is likely to want imported."""
