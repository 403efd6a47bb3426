"""Every text in both languages."""

import string

import pytest

from flight_delay import errors, messages
from flight_delay.messages import from_accept_language, from_locale, text


def placeholders(template):
    return {name for _, name, _, _ in string.Formatter().parse(template) if name and not name.startswith("meaning")}


@pytest.mark.parametrize("key", messages._TEXTS)
def test_both_languages_say_the_same_facts(key):
    portuguese, english = (messages._TEXTS[key][language] for language in messages.LANGUAGES)
    assert placeholders(portuguese) == placeholders(english)
    assert portuguese
    assert english


def leaves(kind):
    children = kind.__subclasses__()
    return [leaf for child in children for leaf in leaves(child)] if children else [kind]


# The key of ModelRefused is its reason: any of `refusals.TEXTS`.
@pytest.mark.parametrize(
    "kind",
    [kind for kind in leaves(errors.FlightDelayError) if kind is not errors.ModelRefused],
    ids=lambda k: k.__name__,
)
def test_every_error_has_a_text(kind):
    assert messages.known(kind.key)


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("", "pt"),
        ("en", "en"),
        ("en-US,en;q=0.9,pt;q=0.1", "en"),
        ("pt-BR,pt;q=0.9,en;q=0.8", "pt"),
        ("en;q=0.1, pt;q=0.9", "pt"),
        ("fr, de", "pt"),
        ("*", "pt"),
        ("en;q=nonsense", "pt"),
        ("en;level=1", "en"),
    ],
)
def test_the_language_that_is_asked_for(header, language):
    assert from_accept_language(header) == language


@pytest.mark.parametrize(
    ("locale", "language"), [("pt_BR.UTF-8", "pt"), ("en_US.UTF-8", "en"), ("C", "en"), ("", "en")]
)
def test_the_language_of_a_terminal(locale, language):
    assert from_locale(locale) == language


def test_facts_are_filled_in():
    assert text("no_route", "en", path="/x") == "There is nothing at /x; see /docs."


@pytest.mark.parametrize(("language", "shown"), [("pt", "53.991 voos"), ("en", "53,991 flights")])
def test_numbers_are_written_as_the_language_does(language, shown):
    facts = {"train": "2013-01", "calibrate": "2013-02", "test": "2013-03", "flights": 53991}
    assert shown in text("tested_on", language, **facts)


def test_fractions_and_numbers_that_only_name_something():
    assert text("less_than_equal", "pt", le=1.5) == "deve ser no máximo 1,5"
    assert ":8001" in text("serving", "pt", url="http://localhost:8001", curl="")
