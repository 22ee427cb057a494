"""Languages the offline search can edit, each behind `Grammar`."""

from agent.repair.lang.base import Grammar
from agent.repo.languages import Language


def grammar_for(language: Language) -> Grammar:
    """Return the language's tables."""
    match language:
        case Language.PYTHON:
            from agent.repair.lang.python.grammar import PythonGrammar

            return PythonGrammar()
        case Language.JAVASCRIPT | Language.TYPESCRIPT | Language.TSX:
            from agent.repair.lang.javascript.grammar import JavaScriptGrammar

            return JavaScriptGrammar(language)
