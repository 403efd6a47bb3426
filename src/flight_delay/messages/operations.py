"""What operators read: of limits, logs and traces, and what each setting means."""

from flight_delay.messages.language import Language

TEXTS: dict[str, dict[Language, str]] = {
    # limits
    "title_429": {"pt": "Pedidos demais", "en": "Too many requests"},
    "too_many_requests": {
        "pt": "{caller} pode fazer {limit} pedido(s) por minuto; espere {retry_after} s. Muitos voos cabem num só "
        "pedido: POST /model/predict/batch/.",
        "en": "{caller} may make {limit} request(s) a minute; wait {retry_after} s. Many flights fit into one request: "
        "POST /model/predict/batch/.",
    },
    "help_key_limit": {
        "pt": "Quantos pedidos ela pode fazer por minuto, em vez de FLIGHT_DELAY_REQUESTS_PER_MINUTE",
        "en": "How many requests it may make a minute, instead of FLIGHT_DELAY_REQUESTS_PER_MINUTE",
    },
    "key_limit": {"pt": "pedidos/min", "en": "requests/min"},
    "key_limit_hashed": {
        "pt": "uma chave de FLIGHT_DELAY_API_KEYS não tem limite próprio; deixe --hashed",
        "en": "a key of FLIGHT_DELAY_API_KEYS has no limit of its own; leave --hashed out",
    },
    # the end of the service
    "draining": {
        "pt": "O serviço vai parar: termina o que aceitou; mande o que vem a outra instância.",
        "en": "The service is about to stop: it finishes what it accepted; send what comes to another instance.",
    },
    # traces
    "traces_missing": {
        "pt": "FLIGHT_DELAY_TRACES pede rastros, e o OpenTelemetry não está instalado: "
        "`pip install 'flight-delay[traces]'`.",
        "en": "FLIGHT_DELAY_TRACES asks for traces, and OpenTelemetry is not installed: "
        "`pip install 'flight-delay[traces]'`.",
    },
    # the command `settings`
    "help_settings": {
        "pt": "Lista cada configuração, com seu valor e de onde ele veio. Sai com 1 se alguma está errada.",
        "en": "List every setting with its value and where that came from. Leaves with 1 where one is wrong.",
    },
    "help_settings_json": {"pt": "Em JSON, para programas", "en": "As JSON, for programs"},
    "help_settings_markdown": {
        "pt": "Só o que significam, como tabela Markdown",
        "en": "Only what they mean, as a Markdown table",
    },
    "settings": {"pt": "Configurações", "en": "Settings"},
    "setting_name": {"pt": "nome", "en": "name"},
    "setting_value": {"pt": "valor", "en": "value"},
    "setting_source": {"pt": "de onde", "en": "from"},
    "setting_meaning": {"pt": "o que significa", "en": "what it means"},
    "setting_range": {"pt": "valores", "en": "values"},
    "setting_default": {"pt": "padrão", "en": "default"},
    "setting_environment": {"pt": "ambiente", "en": "environment"},
    "setting_none": {"pt": "nenhum", "en": "none"},
    "setting_wrong": {"pt": "{name}={value}: {problem}", "en": "{name}={value}: {problem}"},
    "setting_unknown": {
        "pt": "{name} ({source}) não é uma configuração; veja `flight-delay settings`.",
        "en": "{name} ({source}) is no setting; see `flight-delay settings`.",
    },
    "setting_unknown_nearest": {
        "pt": "{name} ({source}) não é uma configuração; você quis dizer {nearest}?",
        "en": "{name} ({source}) is no setting; did you mean {nearest}?",
    },
    "range_least": {"pt": "no mínimo {least:.10g}", "en": "at least {least:.10g}"},
    "range_between": {"pt": "{least:.10g} a {most:.10g}", "en": "{least:.10g} to {most:.10g}"},
    "range_above": {"pt": "mais que {least:.10g}, até {most:.10g}", "en": "more than {least:.10g}, up to {most:.10g}"},
    "range_bool": {"pt": "1 ou 0", "en": "1 or 0"},
    "literal_error": {"pt": "deve ser {expected}", "en": "must be {expected}"},
    "float_parsing": {"pt": "deve ser um número", "en": "must be a number"},
    "greater_than": {"pt": "deve ser maior que {gt:g}", "en": "must be more than {gt:g}"},
    "no_database": {
        "pt": "deve ser {sqlite} e um caminho, ou {postgresql}user:password@host/name",
        "en": "must be {sqlite} and a path, or {postgresql}user:password@host/name",
    },
    "no_keys": {
        "pt": "a entrada {number} deve ser nome:escopo+escopo:sha256, dos escopos predict, read e manage; "
        "`flight-delay keys create NOME --scope predict --hashed` mostra uma",
        "en": "entry {number} must be name:scope+scope:sha256, of the scopes predict, read and manage; "
        "`flight-delay keys create NAME --scope predict --hashed` prints one",
    },
    "no_digest": {
        "pt": "{digest} não é um digest SHA-256 de 64 algarismos hexadecimais",
        "en": "{digest} is not a SHA-256 digest of 64 hexadecimal digits",
    },
}
