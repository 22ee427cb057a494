"""The words of JavaScript: node types, operators and what they are mistaken for, usual mix-ups.

The priors follow those of Python where both have the same mistake; those of `===` for `==` and of
`??` for `||` were set by hand.
"""

from collections.abc import Mapping
from typing import Final

from agent.repair.lang.base import Kind, Words

KINDS: Final[Mapping[str, Kind]] = {
    "identifier": Kind.NAME,
    "member_expression": Kind.ATTRIBUTE,
    "call_expression": Kind.CALL,
    "new_expression": Kind.CALL,
    "assignment_expression": Kind.ASSIGNMENT,
    "variable_declarator": Kind.ASSIGNMENT,
    "augmented_assignment_expression": Kind.UPDATE,
    "update_expression": Kind.UPDATE,
    "for_in_statement": Kind.UPDATE,  # for its operator, `of` or `in`
    "string": Kind.STRING,
    "template_string": Kind.STRING,
    "true": Kind.TRUE,
    "false": Kind.FALSE,
    "null": Kind.NONE,
    "undefined": Kind.NONE,
    "subscript_expression": Kind.INDEX,
    "ternary_expression": Kind.CHOICE,
    "array": Kind.CONTAINER,
    "object": Kind.CONTAINER,
    "pair": Kind.PAIR,
    "return_statement": Kind.RETURN,
    "if_statement": Kind.BRANCH,
    "while_statement": Kind.BRANCH,
    "do_statement": Kind.BRANCH,
    "switch_case": Kind.BRANCH,
    "for_statement": Kind.LOOP,
    "break_statement": Kind.JUMP,
    "continue_statement": Kind.JUMP,
    "parenthesized_expression": Kind.EXPRESSION,
    "await_expression": Kind.EXPRESSION,
    "yield_expression": Kind.EXPRESSION,
}
"""Numbers and expressions with an operator are told apart by what is in them."""

COMPARISONS: Final = frozenset({"<", "<=", ">", ">=", "==", "!=", "===", "!==", "instanceof", "in"})
LOGIC: Final = frozenset({"&&", "||", "??"})
SIGNS: Final = frozenset({"-", "+", "~"})

WORDS: Final = Words(
    none="undefined",
    true="true",
    false="false",
    is_none="{} == null",
    is_present="{} != null",
    truthy_guard="{indent}if (!{name}) return {value};\n",
    none_guard="{indent}if ({name} == null) return {value};\n",
    choice="{condition} ? {value} : {other}",
    or_else="({value} ?? {other})",
    lookup="",
    lookup_or="",
    slice="",
    reversed_slice="",
    last_index="{owner}.length - 1",
    returning="return {value};",
    added="{name} += {value}",
    initialise="",
    import_module="",
    also_caught="",
    waited="await {value}",
    grouped="[{}]",
    own="this",
    empties=("undefined", "null", "[]", "0", "''", "false", "true", "{}"),
)

OPERATOR_SWAPS: Final[Mapping[str, tuple[tuple[str, float], ...]]] = {
    "<": (("<=", 0.9), (">", 0.6), (">=", 0.5), ("!==", 0.3), ("===", 0.3)),
    "<=": (("<", 0.9), (">=", 0.6), (">", 0.5), ("===", 0.3), ("!==", 0.25)),
    ">": ((">=", 0.9), ("<", 0.6), ("<=", 0.5), ("!==", 0.35), ("===", 0.3)),
    ">=": ((">", 0.9), ("<=", 0.6), ("<", 0.5), ("===", 0.3), ("!==", 0.25)),
    "===": (("!==", 0.8), ("==", 0.5), ("<=", 0.45), (">=", 0.45), ("<", 0.3), (">", 0.3)),
    "!==": (("===", 0.8), ("!=", 0.5), ("<", 0.4), (">", 0.4)),
    "==": (("!=", 0.8), ("===", 0.6), ("<=", 0.4), (">=", 0.4), ("<", 0.3), (">", 0.3)),
    "!=": (("==", 0.8), ("!==", 0.6), ("<", 0.35), (">", 0.35)),
    "in": (("of", 0.7), ("instanceof", 0.2)),
    "of": (("in", 0.7),),
    "&&": (("||", 0.8), ("??", 0.2)),
    "||": (("&&", 0.8), ("??", 0.7)),
    "??": (("||", 0.7), ("&&", 0.4)),
    "+": (("-", 0.7), ("*", 0.35), ("/", 0.15), ("%", 0.15)),
    "-": (("+", 0.7), ("*", 0.25), ("/", 0.2), ("%", 0.2)),
    "*": (("+", 0.5), ("/", 0.6), ("**", 0.5), ("-", 0.25), ("%", 0.15)),
    "/": (("*", 0.6), ("%", 0.5), ("-", 0.2), ("+", 0.15)),
    "%": (("/", 0.6), ("*", 0.3), ("-", 0.2)),
    "**": (("*", 0.7),),
    "<<": ((">>", 0.8), ("*", 0.1)),
    ">>": ((">>>", 0.6), ("<<", 0.7)),
    ">>>": ((">>", 0.7), ("<<", 0.4)),
    "&": (("|", 0.8), ("^", 0.6), ("&&", 0.4)),
    "|": (("&", 0.8), ("^", 0.6), ("||", 0.4)),
    "^": (("&", 0.7), ("|", 0.7), ("**", 0.5)),
    "~": (("!", 0.4), ("-", 0.4)),
    "++": (("--", 0.7),),
    "--": (("++", 0.7),),
    "+=": (("-=", 0.7), ("=", 0.55), ("*=", 0.4)),
    "-=": (("+=", 0.7), ("=", 0.5)),
    "*=": (("+=", 0.5), ("/=", 0.4), ("**=", 0.3), ("=", 0.4)),
    "/=": (("*=", 0.5), ("%=", 0.4), ("=", 0.3)),
    "%=": (("/=", 0.5), ("=", 0.4)),
    "**=": (("*=", 0.6),),
    "&=": (("|=", 0.7), ("^=", 0.5), ("=", 0.3)),
    "|=": (("&=", 0.7), ("^=", 0.5), ("=", 0.4)),
    "^=": (("&=", 0.6), ("|=", 0.6)),
    "<<=": ((">>=", 0.8),),
    ">>=": (("<<=", 0.7), (">>>=", 0.6)),
    "??=": (("||=", 0.7), ("=", 0.5)),
    "||=": (("??=", 0.7), ("&&=", 0.5), ("=", 0.4)),
    "&&=": (("||=", 0.7), ("=", 0.4)),
}

SYMMETRIC: Final = frozenset({"==", "!=", "===", "!==", "&&", "||", "??"})
DIFFERING: Final = frozenset({"!=", "!=="})
DIVIDERS: Final = frozenset({"/", "%"})
JUMPS: Final[Mapping[str, str]] = {
    "break;": "continue;", "continue;": "break;", "break": "continue", "continue": "break",
}  # fmt: skip

CALL_SWAPS: Final[Mapping[str, tuple[str, ...]]] = {
    "push": ("unshift", "concat"),
    "unshift": ("push",),
    "pop": ("shift",),
    "shift": ("pop",),
    "concat": ("push",),
    "slice": ("splice", "substring"),
    "splice": ("slice", "toSpliced"),
    "substring": ("slice", "substr"),
    "substr": ("substring", "slice"),
    "map": ("forEach", "filter", "flatMap"),
    "flatMap": ("map",),
    "forEach": ("map",),
    "filter": ("find", "map", "some"),
    "find": ("filter", "findLast", "findIndex"),
    "findLast": ("find",),
    "findIndex": ("find", "indexOf", "findLastIndex"),
    "findLastIndex": ("findIndex",),
    "some": ("every", "includes"),
    "every": ("some",),
    "indexOf": ("lastIndexOf", "includes", "findIndex"),
    "lastIndexOf": ("indexOf",),
    "includes": ("startsWith", "has", "some", "indexOf"),
    "startsWith": ("endsWith", "includes"),
    "endsWith": ("startsWith", "includes"),
    "trim": ("trimStart", "trimEnd"),
    "trimStart": ("trimEnd", "trim"),
    "trimEnd": ("trimStart", "trim"),
    "padStart": ("padEnd",),
    "padEnd": ("padStart",),
    "toLowerCase": ("toUpperCase",),
    "toUpperCase": ("toLowerCase",),
    "replace": ("replaceAll",),
    "replaceAll": ("replace",),
    "match": ("matchAll", "test"),
    "test": ("match", "exec"),
    "exec": ("test",),
    "charAt": ("charCodeAt", "at"),
    "charCodeAt": ("codePointAt", "charAt"),
    "sort": ("toSorted", "reverse"),
    "toSorted": ("sort",),
    "reverse": ("toReversed", "sort"),
    "toReversed": ("reverse",),
    "reduce": ("reduceRight",),
    "reduceRight": ("reduce",),
    "flat": ("flatMap",),
    "join": ("concat", "toString"),
    "keys": ("values", "entries"),
    "values": ("keys", "entries"),
    "entries": ("keys", "values"),
    "fromEntries": ("entries", "assign"),
    "has": ("get", "includes", "delete"),
    "get": ("has",),
    "set": ("add", "get"),
    "add": ("set", "push", "delete"),
    "delete": ("has", "clear"),
    "floor": ("ceil", "round", "trunc"),
    "ceil": ("floor", "round"),
    "round": ("floor", "ceil", "trunc"),
    "trunc": ("floor", "round"),
    "min": ("max",),
    "max": ("min",),
    "log": ("log2", "log10", "exp"),
    "pow": ("sqrt",),
    "sin": ("cos",),
    "cos": ("sin",),
    "parseInt": ("parseFloat", "Number"),
    "parseFloat": ("parseInt", "Number"),
    "Number": ("parseInt", "parseFloat", "BigInt"),
    "isNaN": ("isFinite", "isInteger"),
    "isInteger": ("isSafeInteger", "isFinite"),
    "String": ("Number",),
    "Map": ("Set", "WeakMap"),
    "Set": ("Map", "Array"),
    "call": ("apply", "bind"),
    "apply": ("call",),
    "bind": ("call",),
    "all": ("allSettled", "race", "any"),
    "allSettled": ("all",),
    "race": ("any", "all"),
    "resolve": ("reject",),
    "reject": ("resolve",),
    "then": ("catch", "finally"),
    "catch": ("then",),
    "setTimeout": ("setInterval", "setImmediate"),
    "setInterval": ("setTimeout",),
    "getMonth": ("getDate", "getUTCMonth"),
    "getDate": ("getDay", "getUTCDate"),
    "getDay": ("getDate", "getUTCDay"),
    "getFullYear": ("getUTCFullYear", "getYear"),
    "getHours": ("getUTCHours", "getMinutes"),
    "getUTCDate": ("getUTCDay", "getDate"),
    "getUTCDay": ("getUTCDate", "getDay"),
    "stringify": ("parse",),
    "parse": ("stringify",),
    "hasOwn": ("hasOwnProperty",),
    "freeze": ("seal", "assign"),
    "length": ("size",),
    "size": ("length",),
}

WRAPPERS: Final = (
    "Number", "String", "Math.floor", "Math.abs", "Math.ceil", "Math.round", "Boolean",
    "Array.from", "Object.keys", "Object.values", "Object.entries", "Math.trunc", "parseInt",
)  # fmt: skip

METHODS: Final = (
    "trim", "toLowerCase", "toString", "slice", "values", "keys", "entries", "reverse",
    "toUpperCase", "sort", "flat",
)  # fmt: skip

CONVERSIONS: Final = (
    ("[...{}]", "iterable"),
    ("Object.values({})", "iterable"),
    ("Object.entries({})", "iterable"),
    ("String({})", "string"),
    ("Number({})", "BigInt"),
    ("BigInt({})", "BigInt"),
    ("Number({})", "number"),
    ("Math.floor({})", "length"),
)
"""What a value of the wrong type may be turned into, and the word of a message that asks for it."""

WITH_DEFAULT: Final[Mapping[str, tuple[int, str]]] = {
    "reduce": (1, "{callee}({arguments}, {value})"),
    "reduceRight": (1, "{callee}({arguments}, {value})"),
}

BUILTINS: Final = (
    "Math", "JSON", "Object", "Array", "String", "Number", "Boolean", "Map", "Set", "Date",
    "RegExp", "Promise", "Symbol", "BigInt", "parseInt", "parseFloat", "isNaN", "isFinite",
    "Error", "TypeError", "RangeError", "encodeURIComponent", "decodeURIComponent",
)  # fmt: skip

MODULES: Final = frozenset(
    {
        "assert", "buffer", "child_process", "crypto", "events", "fs", "http", "https", "module",
        "net", "os", "path", "process", "querystring", "readline", "stream", "string_decoder",
        "timers", "tls", "tty", "url", "util", "v8", "vm", "worker_threads", "zlib",
    }
)  # fmt: skip

MEMBERS: Final[Mapping[str, tuple[str, ...]]] = {
    "Math": (
        "abs", "cbrt", "ceil", "cos", "exp", "floor", "hypot", "log", "log10", "log2", "max", "min",
        "pow", "random", "round", "sign", "sin", "sqrt", "tan", "trunc",
    ),
    "Number": ("isFinite", "isInteger", "isNaN", "isSafeInteger", "parseFloat", "parseInt"),
    "Object": (
        "assign", "create", "entries", "freeze", "fromEntries", "getPrototypeOf", "is", "keys",
        "values",
    ),
    "Array": ("from", "isArray", "of"),
    "Promise": ("all", "allSettled", "any", "race", "reject", "resolve"),
    "JSON": ("parse", "stringify"),
}  # fmt: skip
"""What the language's own objects offer."""

GIVING_NOTHING: Final = frozenset(
    {"get", "find", "exec", "match", "at", "pop", "shift", "getAttribute", "getItem"}
    | {"querySelector", "getElementById", "closest", "codePointAt"}
)
"""What returns `undefined` or `null` where there is nothing to be had."""
