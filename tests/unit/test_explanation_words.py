"""Every feature of the model is said in words, whatever its value, in both languages."""

from math import nan

import pytest

from flight_delay.api.explanation import sentence
from flight_delay.flight import Flight
from flight_delay.messages import LANGUAGES, explanation
from flight_delay.model.artifact import Moved
from flight_delay.model.features import FEATURES

FLIGHT = Flight(month=7, day=23, sched_dep_time=1630, origin="JFK", dest="LAX", carrier="DL")
BY_NAME = {feature.name: feature for feature in FEATURES}


def said(name, value, minutes=3.21, language="en"):
    return sentence(Moved(BY_NAME[name], value, minutes), FLIGHT, language)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("feature", FEATURES, ids=lambda feature: feature.name)
def test_each_has_words_for_every_value(feature, language):
    values = [0.0, 0.4, 1.0, 2.0, 5.0, 77.0, -0.4, -7.0]
    sentences = [said(feature.name, value, language=language) for value in values]
    assert all(one.endswith(" min") and "{" not in one and one[0].isupper() for one in sentences)
    missing = said(feature.name, nan, language=language)
    assert "nan" not in missing
    assert missing not in sentences
    assert ("não" if language == "pt" else "not") in missing.lower()


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_two_features_are_said_alike(language):
    for value in (5.0, nan):
        sentences = [said(feature.name, value, language=language) for feature in FEATURES]
        assert len(set(sentences)) == len(sentences)


def test_no_words_are_for_a_feature_that_is_not_there():
    named = {f"why_{feature.name}" for feature in FEATURES}
    for key in explanation.TEXTS:
        if key.startswith("why_"):
            assert any(key == name or key.startswith(f"{name}_") for name in named), key


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("gain_dest_60min", 6.0, "Flights to LAX have lately been losing 6 min on the way"),
        ("gain_dest_60min", -6.0, "Flights to LAX have lately been making up 6 min on the way"),
        ("delay_carrier_origin_60min", 14.6, "Flights of DL from JFK have lately been leaving 15 min late"),
        ("delay_origin_60min", 0.2, "Flights from JFK have lately been leaving on time"),
        ("weekday", 4.0, "The flight is on a Friday"),
        ("dep_min", 1000.0, "The flight left at 16:40"),
        ("temp_c", -7.0, "It is -7 °C at JFK"),
        ("wind_east_ms", -9.0, "The west wind at JFK is 9 m/s"),
        ("air_dest_60min", 1.06, "Flights to LAX have lately been in the air for 106% of what the distance usually takes"),
        ("later_flight_14d", -0.12, "In the last weeks this flight was late less often than others: on 12% fewer of its days"),
        ("waiting_origin_60min", 7.3, "Some 7 flights from JFK that should have left in the last hour have not"),
        ("inbound_slack", -25.0, "The aircraft is expected 25 min after this flight is to leave"),
        ("inbound_phase", 1.0, "The aircraft is still on its way here"),
        ("carrier", nan, "The airline DL is not known to the model"),
        ("visib_km", nan, "The visibility at JFK is not known"),
    ],
)  # fmt: skip
def test_as_a_traveller_understands_it(name, value, words):
    assert said(name, value) == f"{words}: +3.2 min"


def test_numbers_are_written_as_the_language_does():
    assert said("distance_km", 3983.0, -1.25, "pt") == "São 3.983 km de JFK a LAX: -1,2 min"
    assert said("distance_km", 3983.0, -0.04) == "It is 3,983 km from JFK to LAX: +0.0 min"
