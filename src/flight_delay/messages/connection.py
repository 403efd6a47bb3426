"""What is said to a client whose request does not get as far as a route."""

from flight_delay.messages.language import Language

TEXTS: dict[str, dict[Language, str]] = {
    "title_414": {"pt": "Endereço longo demais", "en": "URI too long"},
    "title_431": {"pt": "Cabeçalhos grandes demais", "en": "Request header fields too large"},
    "not_http": {
        "pt": "Isto não é uma requisição HTTP/1.1 bem formada; a conexão é fechada. Envie outra por um cliente HTTP.",
        "en": "This is no well-formed HTTP/1.1 request; the connection is closed. Send another with an HTTP client.",
    },
    "head_too_slow": {
        "pt": "Os cabeçalhos da requisição não chegaram inteiros em {seconds} segundos; envie-a de novo.",
        "en": "The header fields of the request did not arrive whole within {seconds} seconds; send it again.",
    },
    "head_too_large": {
        "pt": "Os cabeçalhos da requisição passam de {most} ou de {limit} bytes; envie menos.",
        "en": "The request has more than {most} header fields, or more than {limit} bytes of them; send fewer.",
    },
    "url_too_long": {
        "pt": "O endereço da requisição passa de {limit} bytes; encurte-o.",
        "en": "The URI of the request is longer than {limit} bytes; shorten it.",
    },
    "too_many_at_once": {
        "pt": "Mais de {most} requisições vieram sem esperar pelas respostas; envie menos de cada vez.",
        "en": "More than {most} requests came without waiting for their answers; send fewer at a time.",
    },
    "too_many_connections": {
        "pt": "Há {most} conexões abertas, e não cabe mais nenhuma; tente de novo em instantes.",
        "en": "There are {most} connections open, and there is no room for another; try again in a moment.",
    },
}
