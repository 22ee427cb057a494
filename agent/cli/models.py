"""`greenloop models`: which profiles are known, what they cost, and where their keys come from."""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import anyio

from agent.cli.screen import Screen
from agent.config import Settings, user_file
from agent.errors import ConfigError
from agent.models.keys import KeyPlace, find_key, key_place
from agent.models.profile import Price, Profile
from agent.models.profiles import find_profile, known_profiles
from agent.models.served import Served, served_models
from agent.telling.wording import one_line, short_count

NOT_READY = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """A profile, and what is known of its key."""

    profile: Profile
    key: KeyPlace
    is_set: bool
    """It is the one that is used where none is named."""


def models(arguments: argparse.Namespace, settings: Settings, screen: Screen) -> int:
    """Print what is known. With a profile: 1 where its key is missing. Raises: AgentError."""
    if arguments.served:
        return _print_served(arguments, settings, screen)
    if arguments.model:
        return _print_one(
            _known(find_profile(arguments.model, settings.models), settings, screen), screen
        )
    known = [_known(each, settings, screen) for each in known_profiles(settings.models)]
    if screen.wants_json:
        screen.answer({"model": settings.model, "models": [_to_json(each) for each in known]})
        return 0
    rows = [_row(each) for each in known]
    if screen.is_rich:
        from agent.cli.paint import models_table

        screen.draw(models_table(rows, [each.key.found for each in known], width=screen.width))
    else:
        for row in rows:
            screen.line("  ".join(row))
    screen.line()
    screen.line(_advice(settings, screen))
    return 0


def _known(profile: Profile, settings: Settings, screen: Screen) -> Known:
    table = settings.models.get(profile.name, {})
    place = key_place(profile, table, screen.variables)
    return Known(profile=profile, key=place, is_set=profile.name == settings.model)


def _row(known: Known) -> tuple[str, str, str, str, str, str]:
    profile = known.profile
    return (
        profile.name + (" (set)" if known.is_set else ""),
        profile.dialect.value,
        one_line(profile.model) or "(ask the server)",
        _window(profile),
        price_text(profile.price),
        one_line(known.key.text),
    )


def _window(profile: Profile) -> str:
    return short_count(profile.window_tokens) if profile.window_tokens else "unknown"


def price_text(price: Price | None) -> str:
    """Return `$0.95 in, $0.16 cached, $4.00 out (2026-09-01)`."""
    if price is None:
        return "price unknown"
    parts = f"{_usd(price.prompt)} in, {_usd(price.cached)} cached, {_usd(price.output)} out"
    return f"{parts} ({price.as_of})"


def _usd(amount: float) -> str:
    """Return `$4.00`, `$0.435`, `$0.0036`: cents, and further digits only where there are any."""
    whole, _, cents = f"{amount:.4f}".rstrip("0").partition(".")
    return f"${whole}.{cents:0<2}"


def _advice(settings: Settings, screen: Screen) -> str:
    if settings.model:
        return f"set: {settings.model} [{settings.origin('model')}]; another one with --model"
    return (
        "none is set, so nothing is sent to a model; choose with --model, or with"
        f' model = "NAME" in {user_file(screen.variables)}'
    )


def _print_one(known: Known, screen: Screen) -> int:
    """Print all that is known of one profile."""
    if screen.wants_json:
        screen.answer(_to_json(known))
    else:
        facts = _facts(known)
        width = max(len(name) for name, _ in facts)
        for name, value in facts:
            screen.line(f"{name:<{width}}  {value}")
    return 0 if known.key.found else NOT_READY


def _facts(known: Known) -> list[tuple[str, str]]:
    profile = known.profile
    return [
        ("profile", f"{profile.name} [{profile.origin}]"),
        ("dialect", profile.dialect.value),
        ("address", one_line(profile.base_url)),
        ("model", one_line(profile.model) or "(the one that the server serves)"),
        ("window", f"{_window(profile)} tokens"),
        ("answer", f"up to {short_count(profile.max_output_tokens)} tokens, reasoning included"),
        ("price", price_text(profile.price) + (" for 1M tokens" if profile.price else "")),
        ("requests", f"{profile.requests} at once, to start with"),
        ("key", one_line(known.key.text)),
    ]


def _print_served(arguments: argparse.Namespace, settings: Settings, screen: Screen) -> int:
    name = arguments.model or settings.model
    if not name:
        raise ConfigError(
            "--served: no model is configured.",
            remedy="Name a profile: greenloop models PROFILE --served.",
        )
    profile = find_profile(name, settings.models)
    key = find_key(profile, settings.models.get(name, {}), screen.variables)
    served: Sequence[Served] = anyio.run(served_models, profile, key)
    if screen.wants_json:
        models = [{"id": each.id, "window_tokens": each.window_tokens} for each in served]
        screen.answer({"profile": name, "served": models})
        return 0
    screen.line(f"{one_line(profile.base_url)} serves:")
    for each in served:
        window = f"  {short_count(each.window_tokens)} tokens" if each.window_tokens else ""
        chosen = "  <- this profile" if each.id == profile.model else ""
        screen.line(f"  {one_line(each.id)}{window}{chosen}")
    return 0


def _to_json(known: Known) -> dict[str, Any]:
    profile, price = known.profile, known.profile.price
    return {
        "profile": profile.name,
        "dialect": profile.dialect.value,
        "base_url": profile.base_url,
        "model": profile.model,
        "window_tokens": profile.window_tokens,
        "max_output_tokens": profile.max_output_tokens,
        "price": None
        if price is None
        else {
            "prompt": price.prompt,
            "cached": price.cached,
            "output": price.output,
            "as_of": price.as_of,
        },
        "key": known.key.text,
        "ready": known.key.found,
        "set": known.is_set,
        "origin": profile.origin,
    }
