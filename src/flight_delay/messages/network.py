"""What the network has been doing lately, in words: flights, the aircraft's flight before.

For each feature that comes from it, its words by the ending of their key (see `explanation.py`).
"""

from flight_delay.messages.language import LANGUAGES, Language

Forms = dict[str, dict[Language, str]]
"""The words of a feature by the ending of their key."""

_WHO: dict[str, dict[Language, str]] = {
    "origin": {"pt": "os voos que saem de {origin}", "en": "flights from {origin}"},
    "dest": {"pt": "os voos para {dest}", "en": "flights to {dest}"},
    "region_origin": {
        "pt": "os voos de {origin} para os lados de {dest}",
        "en": "flights from {origin} in the direction of {dest}",
    },
    "carrier": {"pt": "os voos da {carrier}", "en": "flights of {carrier}"},
    "carrier_origin": {"pt": "os voos da {carrier} que saem de {origin}", "en": "flights of {carrier} from {origin}"},
    "route": {"pt": "os voos de {origin} para {dest}", "en": "flights from {origin} to {dest}"},
}

_LATELY: dict[str, Forms] = {
    "gain": {
        "": {
            "pt": "{who} vêm perdendo {value:.0f} min no caminho",
            "en": "{who} have lately been losing {value:.0f} min on the way",
        },
        "_below": {
            "pt": "{who} vêm recuperando {value:.0f} min no caminho",
            "en": "{who} have lately been making up {value:.0f} min on the way",
        },
        "_0": {
            "pt": "{who} vêm levando no caminho o tempo previsto",
            "en": "{who} have lately been taking the time on the way that is planned",
        },
        "_unknown": {
            "pt": "não se sabe se {who} vêm perdendo tempo no caminho",
            "en": "it is not known whether {who} have lately been losing time on the way",
        },
    },
    "delay": {
        "": {
            "pt": "{who} vêm saindo com {value:.0f} min de atraso",
            "en": "{who} have lately been leaving {value:.0f} min late",
        },
        "_below": {
            "pt": "{who} vêm saindo {value:.0f} min adiantados",
            "en": "{who} have lately been leaving {value:.0f} min early",
        },
        "_0": {"pt": "{who} vêm saindo na hora", "en": "{who} have lately been leaving on time"},
        "_unknown": {
            "pt": "não se sabe com que atraso {who} vêm saindo",
            "en": "it is not known how late {who} have lately been leaving",
        },
    },
    "ground": {
        "": {
            "pt": "{who} vêm passando {value:.0f} min no solo, taxiando e esperando a pista",
            "en": "{who} have lately spent {value:.0f} min on the ground, taxiing and waiting for a runway",
        },
        "_unknown": {
            "pt": "não se sabe quanto {who} vêm esperando no solo",
            "en": "it is not known how long {who} have lately waited on the ground",
        },
    },
    "air": {
        "": {
            "pt": "{who} vêm ficando no ar {value:.0%} do que a distância costuma levar",
            "en": "{who} have lately been in the air for {value:.0%} of what the distance usually takes",
        },
        "_unknown": {
            "pt": "não se sabe quanto {who} vêm ficando no ar",
            "en": "it is not known how long {who} have lately been in the air",
        },
    },
    "excess": {
        "": {
            "pt": "{who} vêm levando, para uma distância destas, {value:.0f} min a mais do que o horário prevê",
            "en": "{who} have lately taken, for such a distance, {value:.0f} min more than the timetable allows",
        },
        "_below": {
            "pt": "{who} vêm levando, para uma distância destas, {value:.0f} min a menos do que o horário prevê",
            "en": "{who} have lately taken, for such a distance, {value:.0f} min less than the timetable allows",
        },
        "_0": {
            "pt": "{who} vêm levando, para uma distância destas, o que o horário prevê",
            "en": "{who} have lately taken, for such a distance, what the timetable allows",
        },
        "_unknown": {
            "pt": "não se sabe quanto {who} vêm levando de porta a porta",
            "en": "it is not known how long {who} have lately taken from gate to gate",
        },
    },
}
"""What flights have been doing in the last hour or two."""

_LATELY_OF: dict[str, tuple[str, ...]] = {
    "gain": ("origin", "dest", "region_origin", "carrier", "carrier_origin"),
    "delay": ("origin", "dest", "region_origin", "carrier", "carrier_origin"),
    "ground": ("origin", "dest", "region_origin"),
    "air": ("dest", "region_origin"),
    "excess": ("origin", "dest", "region_origin"),
}

_LONGER: Forms = {
    "": {
        "pt": "{when}, {who} levaram de porta a porta {value:.0f} min a mais do que este horário prevê",
        "en": "{when} {who} took {value:.0f} min longer from gate to gate than this timetable allows",
    },
    "_below": {
        "pt": "{when}, {who} levaram de porta a porta {value:.0f} min a menos do que este horário prevê",
        "en": "{when} {who} took {value:.0f} min less from gate to gate than this timetable allows",
    },
    "_0": {
        "pt": "{when}, {who} levaram de porta a porta o que este horário prevê",
        "en": "{when} {who} took from gate to gate what this timetable allows",
    },
    "_unknown": {
        "pt": "não se sabe quanto {who} levaram de porta a porta {when}",
        "en": "it is not known how long {who} took from gate to gate {when}",
    },
}
_WAITING: Forms = {
    "": {
        "pt": "uns {value:.0f} voos{where} que deviam ter saído {when} ainda não saíram",
        "en": "some {value:.0f} flights{where} that should have left {when} have not",
    },
    "_0": {
        "pt": "nenhum voo{where} que devia ter saído {when} está por sair",
        "en": "no flight{where} that should have left {when} is still waiting",
    },
    "_unknown": {
        "pt": "não se sabe quantos voos{where} que deviam ter saído {when} ainda esperam",
        "en": "it is not known how many flights{where} that should have left {when} still wait",
    },
}
_WEEKS: dict[Language, str] = {"pt": "nas últimas semanas", "en": "in the last weeks"}
_HOURS: dict[Language, str] = {"pt": "nas últimas horas", "en": "in the last hours"}
_HOUR: dict[Language, str] = {"pt": "na última hora", "en": "in the last hour"}
_HERE: dict[Language, str] = {"pt": " de {origin}", "en": " from {origin}"}
_THESE: dict[Language, str] = {"pt": "os voos deste número", "en": "flights of this number"}


def _filled(forms: Forms, **parts: dict[Language, str]) -> Forms:
    """Return the forms with parts put in, each beginning with a capital letter."""
    filled: Forms = {}
    for ending, texts in forms.items():
        filled[ending] = {}
        for language in LANGUAGES:
            words = texts[language]
            for name, part in parts.items():
                words = words.replace(f"{{{name}}}", part[language])
            filled[ending][language] = words[0].upper() + words[1:]
    return filled


FEATURES: dict[str, Forms] = {
    "later_flight_14d": {
        "": {
            "pt": "Nas últimas semanas este voo atrasou mais vezes do que os outros: {value:.0%} dos dias a mais",
            "en": "In the last weeks this flight was late more often than others: on {value:.0%} more of its days",
        },
        "_below": {
            "pt": "Nas últimas semanas este voo atrasou menos vezes do que os outros: {value:.0%} dos dias a menos",
            "en": "In the last weeks this flight was late less often than others: on {value:.0%} fewer of its days",
        },
        "_unknown": {
            "pt": "Não se sabe quantas vezes este voo atrasou nas últimas semanas",
            "en": "It is not known how often this flight was late in the last weeks",
        },
    },
    "gain_flight_14d": {
        "": {
            "pt": "Nas últimas semanas este voo perdeu {value:.0f} min no caminho",
            "en": "In the last weeks this flight lost {value:.0f} min on the way",
        },
        "_below": {
            "pt": "Nas últimas semanas este voo recuperou {value:.0f} min no caminho",
            "en": "In the last weeks this flight made up {value:.0f} min on the way",
        },
        "_0": {
            "pt": "Nas últimas semanas este voo levou no caminho o tempo previsto",
            "en": "In the last weeks this flight took the time on the way that is planned",
        },
        "_unknown": {
            "pt": "Não se sabe se este voo perdeu tempo no caminho nas últimas semanas",
            "en": "It is not known whether this flight lost time on the way in the last weeks",
        },
    },
    "delay_flight_14d": {
        "": {
            "pt": "Nas últimas semanas este voo saiu com {value:.0f} min de atraso",
            "en": "In the last weeks this flight left {value:.0f} min late",
        },
        "_below": {
            "pt": "Nas últimas semanas este voo saiu {value:.0f} min adiantado",
            "en": "In the last weeks this flight left {value:.0f} min early",
        },
        "_0": {
            "pt": "Nas últimas semanas este voo saiu na hora",
            "en": "In the last weeks this flight left on time",
        },
        "_unknown": {
            "pt": "Não se sabe com que atraso este voo saiu nas últimas semanas",
            "en": "It is not known how late this flight left in the last weeks",
        },
    },
    "inbound_dep_delay": {
        "": {
            "pt": "O avião saiu para o voo anterior com {value:.0f} min de atraso",
            "en": "The aircraft left for its flight before this one {value:.0f} min late",
        },
        "_below": {
            "pt": "O avião saiu para o voo anterior {value:.0f} min adiantado",
            "en": "The aircraft left for its flight before this one {value:.0f} min early",
        },
        "_0": {
            "pt": "O avião saiu para o voo anterior na hora",
            "en": "The aircraft left for its flight before this one on time",
        },
        "_unknown": {
            "pt": "Não se sabe se o avião já saiu para o voo anterior",
            "en": "It is not known whether the aircraft has left for its flight before this one",
        },
    },
    "inbound_arr_delay": {
        "": {
            "pt": "O avião chegou do voo anterior com {value:.0f} min de atraso",
            "en": "The aircraft arrived from its flight before this one {value:.0f} min late",
        },
        "_below": {
            "pt": "O avião chegou do voo anterior {value:.0f} min adiantado",
            "en": "The aircraft arrived from its flight before this one {value:.0f} min early",
        },
        "_0": {
            "pt": "O avião chegou do voo anterior na hora",
            "en": "The aircraft arrived from its flight before this one on time",
        },
        "_unknown": {
            "pt": "Não se sabe se o avião já chegou do voo anterior",
            "en": "It is not known whether the aircraft has arrived from its flight before this one",
        },
    },
    "inbound_slack": {
        "": {
            "pt": "O avião tem {value:.0f} min entre a chegada do voo anterior e a saída deste",
            "en": "The aircraft has {value:.0f} min from the arrival of its flight before until this one is to leave",
        },
        "_below": {
            "pt": "O avião é esperado {value:.0f} min depois da hora em que este voo deve sair",
            "en": "The aircraft is expected {value:.0f} min after this flight is to leave",
        },
        "_unknown": {
            "pt": "Não se sabe quando o avião chega do voo anterior",
            "en": "It is not known when the aircraft arrives from its flight before this one",
        },
    },
    "inbound_gap": {
        "": {
            "pt": "O voo anterior do avião estava marcado para {value:.0f} min antes deste",
            "en": "The aircraft's flight before this one was to leave {value:.0f} min earlier",
        },
        "_unknown": {
            "pt": "Não se sabe qual é o voo anterior do avião",
            "en": "It is not known which flight the aircraft makes before this one",
        },
    },
    "inbound_overdue": {
        "": {
            "pt": "O voo anterior do avião devia ter saído há {value:.0f} min e ainda não saiu",
            "en": "The aircraft's flight before this one should have left {value:.0f} min ago and has not",
        },
        "_0": {
            "pt": "O voo anterior do avião não está atrasado para sair",
            "en": "The aircraft's flight before this one is not overdue",
        },
        "_unknown": {
            "pt": "Não se sabe se o voo anterior do avião está atrasado para sair",
            "en": "It is not known whether the aircraft's flight before this one is overdue",
        },
    },
    "inbound_phase": {
        "": {"pt": "A fase do voo anterior do avião", "en": "How far the aircraft's flight before this one has come"},
        "_0": {
            "pt": "O voo anterior do avião ainda não saiu",
            "en": "The aircraft's flight before this one has not left",
        },
        "_1": {"pt": "O avião ainda voa para cá", "en": "The aircraft is still on its way here"},
        "_2": {"pt": "O avião já chegou do voo anterior", "en": "The aircraft is here already"},
        "_unknown": {
            "pt": "Não se sabe onde está o avião",
            "en": "It is not known where the aircraft is",
        },
    },
    **{
        f"{measure}_{key}_60min": _filled(_LATELY[measure], who=_WHO[key])
        for measure, keys in _LATELY_OF.items()
        for key in keys
    },
    "block_route_14d": _filled(_LONGER, who=_WHO["route"], when=_WEEKS),
    "block_flight_14d": _filled(_LONGER, who=_THESE, when=_WEEKS),
    "block_route_360min": _filled(_LONGER, who=_WHO["route"], when=_HOURS),
    "waiting_origin_60min": _filled(_WAITING, where=_HERE, when=_HOUR),
    "waiting_origin_240min": _filled(_WAITING, where=_HERE, when=_HOURS),
}
