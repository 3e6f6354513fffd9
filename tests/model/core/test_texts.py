"""Text that somebody gave, and names that are nearly right."""

import pickle

import pytest

from computemarket.errors import InputError, InvariantError
from computemarket.model.core.texts import decoded, nearest


def test_text_is_decoded_and_what_is_none_is_refused():
    assert decoded("größer".encode(), "a") == "größer"
    assert decoded(b"\xef\xbb\xbfx", "a") == "x"
    for data, says in (
        (b"\x80", "not text"),
        (b"a\0b", "not text"),
        ("x".encode("utf-16"), "text in UTF-16"),
    ):
        with pytest.raises(InputError, match=f"a: '.*{says}' is not TOML in UTF-8"):
            decoded(data, "a", "TOML")


def test_the_nearest_name_is_told_only_where_one_is_near():
    known = ("capex.herding", "tokens.alpha")
    assert nearest("capex.herdin", known) == "; the nearest is capex.herding"
    assert nearest("zzz", known) == ""
    assert nearest(5, ()) == ""


def test_errors_travel_between_processes():
    for error in (InputError("a", "b", "c"), InvariantError("law", "2024Q1", 1.0, 2.0)):
        assert str(pickle.loads(pickle.dumps(error))) == str(error)  # noqa: S301


def test_what_is_allowed_is_said_however_long_what_was_found_is():
    said = str(InputError("where", "x" * 5000, "allowed"))
    assert said.endswith("is not allowed")
    assert len(said) < 300
