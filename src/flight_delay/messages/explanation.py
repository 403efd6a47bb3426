"""What moved an answer, and what is to be known about it, in words that a traveller understands.

For each feature of the model: `why_NAME`, with other words where the value is missing (`_unknown`), is
below 0 (`_below`: its size is said) or rounds to a number that has words of its own (`_0`).
"""

from flight_delay.messages import network
from flight_delay.messages.language import Language
from flight_delay.messages.network import Forms

_FEATURES: dict[str, Forms] = {
    "carrier": {
        "": {"pt": "A companhia é a {carrier}", "en": "The airline is {carrier}"},
        "_unknown": {
            "pt": "A companhia {carrier} não é conhecida do modelo",
            "en": "The airline {carrier} is not known to the model",
        },
    },
    "origin": {
        "": {"pt": "O voo sai de {origin}", "en": "The flight leaves from {origin}"},
        "_unknown": {
            "pt": "O aeroporto de origem, {origin}, não é conhecido do modelo",
            "en": "The airport of origin, {origin}, is not known to the model",
        },
    },
    "dest": {
        "": {"pt": "O voo vai para {dest}", "en": "The flight goes to {dest}"},
        "_unknown": {
            "pt": "O aeroporto de destino, {dest}, não é conhecido do modelo",
            "en": "The airport of destination, {dest}, is not known to the model",
        },
    },
    "sched_dep_min": {
        "": {"pt": "A saída está marcada para {clock}", "en": "It is scheduled to leave at {clock}"},
        "_unknown": {
            "pt": "Não se sabe para que hora a saída está marcada",
            "en": "It is not known when it is scheduled to leave",
        },
    },
    "sched_block_min": {
        "": {
            "pt": "O horário prevê {value:.0f} min de porta a porta",
            "en": "The timetable allows {value:.0f} min from gate to gate",
        },
        "_unknown": {
            "pt": "Não se sabe quanto tempo o horário prevê de porta a porta",
            "en": "It is not known how long the timetable allows from gate to gate",
        },
    },
    "weekday": {
        "": {"pt": "O dia da semana do voo", "en": "The day of the week of the flight"},
        "_0": {"pt": "O voo é numa segunda-feira", "en": "The flight is on a Monday"},
        "_1": {"pt": "O voo é numa terça-feira", "en": "The flight is on a Tuesday"},
        "_2": {"pt": "O voo é numa quarta-feira", "en": "The flight is on a Wednesday"},
        "_3": {"pt": "O voo é numa quinta-feira", "en": "The flight is on a Thursday"},
        "_4": {"pt": "O voo é numa sexta-feira", "en": "The flight is on a Friday"},
        "_5": {"pt": "O voo é num sábado", "en": "The flight is on a Saturday"},
        "_6": {"pt": "O voo é num domingo", "en": "The flight is on a Sunday"},
        "_unknown": {"pt": "Não se sabe o dia da semana", "en": "The day of the week is not known"},
    },
    "holiday_days": {
        "": {
            "pt": "Há um feriado a {value:.0f} dias do voo",
            "en": "There is a holiday {value:.0f} days from the flight",
        },
        "_0": {"pt": "O voo é num feriado", "en": "The flight is on a holiday"},
        "_1": {"pt": "O voo é na véspera ou no dia seguinte de um feriado", "en": "The flight is a day from a holiday"},
        "_4": {"pt": "Não há feriado por perto", "en": "There is no holiday near"},
        "_unknown": {"pt": "Não se sabe se há um feriado por perto", "en": "It is not known whether a holiday is near"},
    },
    "distance_km": {
        "": {"pt": "São {value:,.0f} km de {origin} a {dest}", "en": "It is {value:,.0f} km from {origin} to {dest}"},
        "_unknown": {
            "pt": "Não se sabe a distância de {origin} a {dest}",
            "en": "The distance from {origin} to {dest} is not known",
        },
    },
    "dep_delay": {
        "": {"pt": "O voo saiu com {value:.0f} min de atraso", "en": "The flight left {value:.0f} min late"},
        "_below": {"pt": "O voo saiu {value:.0f} min adiantado", "en": "The flight left {value:.0f} min early"},
        "_0": {"pt": "O voo saiu na hora", "en": "The flight left on time"},
        "_unknown": {"pt": "Não se sabe com que atraso o voo saiu", "en": "It is not known how late the flight left"},
    },
    "dep_min": {
        "": {"pt": "O voo saiu às {clock}", "en": "The flight left at {clock}"},
        "_unknown": {"pt": "Não se sabe a que hora o voo saiu", "en": "It is not known when the flight left"},
    },
    "temp_c": {
        "": {"pt": "Faz {value:.0f} °C em {origin}", "en": "It is {value:.0f} °C at {origin}"},
        "_unknown": {"pt": "Não se sabe a temperatura em {origin}", "en": "The temperature at {origin} is not known"},
    },
    "dewp_c": {
        "": {
            "pt": "O ponto de orvalho em {origin} é {value:.0f} °C",
            "en": "The dew point at {origin} is {value:.0f} °C",
        },
        "_unknown": {
            "pt": "Não se sabe o ponto de orvalho em {origin}",
            "en": "The dew point at {origin} is not known",
        },
    },
    "humid_pct": {
        "": {"pt": "A umidade em {origin} é de {value:.0f}%", "en": "The humidity at {origin} is {value:.0f}%"},
        "_unknown": {"pt": "Não se sabe a umidade em {origin}", "en": "The humidity at {origin} is not known"},
    },
    "wind_north_ms": {
        "": {
            "pt": "O vento norte em {origin} é de {value:.0f} m/s",
            "en": "The north wind at {origin} is {value:.0f} m/s",
        },
        "_below": {
            "pt": "O vento sul em {origin} é de {value:.0f} m/s",
            "en": "The south wind at {origin} is {value:.0f} m/s",
        },
        "_0": {
            "pt": "Quase não há vento norte nem sul em {origin}",
            "en": "There is hardly any north or south wind at {origin}",
        },
        "_unknown": {
            "pt": "Não se sabe se há vento norte ou sul em {origin}",
            "en": "It is not known whether there is a north or south wind at {origin}",
        },
    },
    "wind_east_ms": {
        "": {
            "pt": "O vento leste em {origin} é de {value:.0f} m/s",
            "en": "The east wind at {origin} is {value:.0f} m/s",
        },
        "_below": {
            "pt": "O vento oeste em {origin} é de {value:.0f} m/s",
            "en": "The west wind at {origin} is {value:.0f} m/s",
        },
        "_0": {
            "pt": "Quase não há vento leste nem oeste em {origin}",
            "en": "There is hardly any east or west wind at {origin}",
        },
        "_unknown": {
            "pt": "Não se sabe se há vento leste ou oeste em {origin}",
            "en": "It is not known whether there is an east or west wind at {origin}",
        },
    },
    "precip_mm": {
        "": {
            "pt": "Caíram {value:.1f} mm de chuva ou neve numa hora em {origin}",
            "en": "There were {value:.1f} mm of rain or snow in an hour at {origin}",
        },
        "_unknown": {
            "pt": "Não se sabe se chove ou neva em {origin}",
            "en": "It is not known whether it rains or snows at {origin}",
        },
    },
    "pressure_hpa": {
        "": {
            "pt": "A pressão do ar em {origin} é de {value:.0f} hPa",
            "en": "The air pressure at {origin} is {value:.0f} hPa",
        },
        "_unknown": {
            "pt": "Não se sabe a pressão do ar em {origin}",
            "en": "The air pressure at {origin} is not known",
        },
    },
    "visib_km": {
        "": {
            "pt": "A visibilidade em {origin} é de {value:.1f} km",
            "en": "One can see {value:.1f} km far at {origin}",
        },
        "_unknown": {"pt": "Não se sabe a visibilidade em {origin}", "en": "The visibility at {origin} is not known"},
    },
}

TEXTS: dict[str, dict[Language, str]] = {
    **{
        f"why_{name}{ending}": words
        for name, forms in (_FEATURES | network.FEATURES).items()
        for ending, words in forms.items()
    },
    "why": {"pt": "{reason}: {minutes:+.1f} min", "en": "{reason}: {minutes:+.1f} min"},
    # notes
    "note_only_minutes": {
        "pt": "O modelo que está no ar dá só minutos: nem intervalo, nem probabilidades, nem explicação.",
        "en": "The live model gives minutes alone: neither an interval, nor probabilities, nor an explanation.",
    },
    "note_strange": {
        "pt": "O modelo nunca encontrou este aeroporto ou esta companhia: a resposta é menos segura.",
        "en": "The model never met this airport or this airline: the answer is less sure.",
    },
    "note_new_carrier": {
        "pt": "O modelo nunca encontrou a companhia {carrier}: a resposta é menos segura, de intervalo mais largo.",
        "en": "The model never met the airline {carrier}: the answer is less sure, and its interval wider.",
    },
    "note_new_origin": {
        "pt": "O modelo nunca encontrou voos que saem de {origin}: a resposta é menos segura, de intervalo mais largo.",
        "en": "The model never met flights from {origin}: the answer is less sure, and its interval wider.",
    },
    "note_new_dest": {
        "pt": "O modelo nunca encontrou voos para {dest}: a resposta é menos segura, de intervalo mais largo.",
        "en": "The model never met flights to {dest}: the answer is less sure, and its interval wider.",
    },
    "note_nothing_heard": {
        "pt": "Nada se soube há pouco dos voos que saem de {origin}; a resposta não conta o que se passa lá agora.",
        "en": "Nothing was heard lately of flights from {origin}; the answer does not count what goes on there now.",
    },
    "note_no_weather": {
        "pt": "O clima em {origin} não foi dito (campo weather).",
        "en": "The weather at {origin} was not told (field weather).",
    },
    "note_weather_unused": {
        "pt": "O clima não contou: a resposta é a de dias antes, em que ele ainda não é conhecido.",
        "en": "The weather did not count: the answer is one of days before, when it is not known yet.",
    },
    "note_no_flight_number": {
        "pt": "O número do voo não foi dito (campo flight): o que ele costuma fazer não contou.",
        "en": "The flight number was not told (field flight): what it usually does did not count.",
    },
    "note_distance_ignored": {
        "pt": "A distância do pedido não contou: ela é calculada entre {origin} e {dest}.",
        "en": "The distance in the request did not count: it is computed from {origin} to {dest}.",
    },
    "note_distance_used": {
        "pt": "A distância do pedido foi usada, pois não se sabe onde fica um dos aeroportos ({origin}, {dest}).",
        "en": "The distance in the request was used: where one of the airports lies ({origin}, {dest}) is not known.",
    },
}
