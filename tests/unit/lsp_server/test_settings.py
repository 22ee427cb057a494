"""Settings of an editor: what is taken, what is named as wrong."""

import pytest

from lsp_server.settings import EditorSettings, read_settings, section_of


def test_every_setting_is_taken() -> None:
    settings, wrong = read_settings(
        {
            "strategy": "offline",
            "model": "m",
            "attempts": 3,
            "backend": "bubblewrap",
            "runsAtOnce": 4.0,
            "onExit": "finish",
            "saveOnAccept": False,
            "recheckOnReject": False,
            "codeLens": False,
            "testDiagnostics": False,
            "somethingOfALaterVersion": 1,
        }
    )
    assert wrong == ()
    assert settings == EditorSettings(
        strategy="offline",
        model="m",
        attempts=3,
        backend="bubblewrap",
        runs_at_once=4,
        on_exit="finish",
        save_on_accept=False,
        recheck_on_reject=False,
        code_lens=False,
        test_diagnostics=False,
    )


@pytest.mark.parametrize("given", [None, {}, {"strategy": None}])
def test_nothing_said_is_the_default(given: object) -> None:
    assert read_settings(given) == (EditorSettings(), ())


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"onExit": "stay"}, 'greenloop.onExit must be one of "cancel", "finish", not \'stay\''),
        ({"attempts": 1.5}, "greenloop.attempts must be a whole number from 0 to 16, not 1.5"),
        ({"attempts": True}, "greenloop.attempts must be a whole number from 0 to 16, not True"),
        ({"runsAtOnce": 0}, "greenloop.runsAtOnce must be a whole number from 1 to 64, not 0"),
        ({"codeLens": "yes"}, "greenloop.codeLens must be true or false, not 'yes'"),
        ({"codeLens": {}}, "greenloop.codeLens must be true or false, not an object"),
        ({"model": []}, "greenloop.model must be a text, not a list"),
        ("x", "greenloop must be an object, not 'x'"),
        ({"attempts": float("inf")}, "greenloop.attempts must be a whole number"),
    ],
)
def test_wrong_value_is_named_and_the_default_counts(given: object, message: str) -> None:
    settings, (wrong,) = read_settings(given)
    assert settings == EditorSettings()
    assert wrong.message.startswith(message)
    assert "the default is used" in wrong.message


def test_what_the_editor_leaves_open_is_up_to_the_configuration_file() -> None:
    assert EditorSettings().flags() == {"backend": None, "model": None, "attempts": None}
    assert EditorSettings(model="m", attempts=2).flags() == {
        "backend": None,
        "model": "m",
        "attempts": 2,
    }


def test_section_is_found_by_its_name_or_taken_as_it_is() -> None:
    assert section_of({"greenloop": {"codeLens": False}}) == {"codeLens": False}
    assert section_of({"codeLens": False}) == {"codeLens": False}
    assert section_of(None) is None
