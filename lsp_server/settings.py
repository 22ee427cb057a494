"""What an editor may set, as docs/protocol.md has it: JSON into values, wrong ones named.

Asks nobody (see `lsp_server.session`) and reads no file: those are for `agent.config`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from types import MappingProxyType
from typing import Final, Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class EditorSettings:
    """Settings of a folder; the defaults count where the editor says nothing."""

    strategy: Literal["auto", "offline", "model"] = "auto"
    model: str = ""
    """A profile of the user's configuration file; empty: the one that is set there."""
    attempts: int = 0
    """Of a model, side by side; 0: as the user's configuration file says."""
    backend: Literal["", "docker", "bubblewrap"] = ""
    runs_at_once: int = 2
    on_exit: Literal["cancel", "finish"] = "cancel"
    save_on_accept: bool = True
    recheck_on_reject: bool = True
    code_lens: bool = True
    test_diagnostics: bool = True

    def flags(self) -> dict[str, object]:
        """Return what of it is a setting of the engine, as `agent.config.load_settings` takes it.

        What the editor left open stays with the user's configuration file.
        """
        return {
            "backend": self.backend or None,
            "model": self.model or None,
            "attempts": self.attempts or None,
        }


_DEFAULT: Final = EditorSettings()
_CHOICES: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "strategy": ("auto", "offline", "model"),
        "backend": ("", "docker", "bubblewrap"),
        "on_exit": ("cancel", "finish"),
    }
)
_MOST: Final[Mapping[str, tuple[int, int]]] = MappingProxyType(
    {"attempts": (0, 16), "runs_at_once": (1, 64)}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class WrongSetting:
    """A value that cannot be used; the default is, instead."""

    key: str
    """As the editor names it: `greenloop.onExit`."""
    expected: str
    found: str

    @property
    def message(self) -> str:
        """One line for a person."""
        return (
            f"{self.key} must be {self.expected}, not {self.found}; the default is used."
            " Correct it in the editor's settings."
        )


def read_settings(given: object) -> tuple[EditorSettings, tuple[WrongSetting, ...]]:
    """Return what the editor set, and what of it cannot be used. Unknown keys are passed over."""
    if given is None:
        return _DEFAULT, ()
    if not isinstance(given, Mapping):
        return _DEFAULT, (_wrong("", "an object", given),)
    values: dict[str, object] = {}
    wrong: list[WrongSetting] = []
    for field in fields(EditorSettings):
        key = _camel(field.name)
        if given.get(key) is None:
            continue
        value = given[key]
        expected = _expected(field.name, value)
        if expected:
            wrong.append(_wrong(key, expected, value))
        else:
            values[field.name] = int(value) if field.name in _MOST else value
    return EditorSettings(**values), tuple(wrong)  # type: ignore[arg-type] # checked above


def section_of(settings: object) -> object:
    """Return our part of what `workspace/didChangeConfiguration` brings.

    Clients send the section by name, or what is in it; a client that wants to be asked sends null.
    """
    if isinstance(settings, Mapping) and "greenloop" in settings:
        return settings["greenloop"]
    return settings


def _expected(name: str, value: object) -> str:
    """Return what a value should have been; empty where it can be used."""
    default = getattr(_DEFAULT, name)
    if name in _CHOICES:
        good = isinstance(value, str) and value in _CHOICES[name]
        return "" if good else "one of " + ", ".join(f'"{one}"' for one in _CHOICES[name])
    if isinstance(default, bool):
        return "" if isinstance(value, bool) else "true or false"
    if name in _MOST:
        least, most = _MOST[name]
        good = _is_whole(value) and isinstance(value, int | float) and least <= value <= most
        return "" if good else f"a whole number from {least} to {most}"
    return "" if isinstance(value, str) and "\0" not in value else "a text"


def _is_whole(value: object) -> bool:
    """Tell whether it is a whole number; some clients send 2.0 for 2."""
    if isinstance(value, float):
        return value.is_integer()
    return isinstance(value, int) and not isinstance(value, bool)


def _wrong(key: str, expected: str, found: object) -> WrongSetting:
    shown = repr(found) if isinstance(found, str | int | float | bool) else _kind(found)
    return WrongSetting(
        key=f"greenloop.{key}" if key else "greenloop", expected=expected, found=shown[:60]
    )


def _kind(found: object) -> str:
    if isinstance(found, Mapping):
        return "an object"
    return "a list" if isinstance(found, list | tuple) else type(found).__name__


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(part.capitalize() for part in rest)
