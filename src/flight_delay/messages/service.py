"""What the service says: states, titles and details of problems, fields of a request."""

from flight_delay.messages.language import Language

TEXTS: dict[str, dict[Language, str]] = {
    # the service
    "healthy": {"pt": "API está funcionando corretamente", "en": "The API is working"},
    "ready": {"pt": "Pronta para prever", "en": "Ready to predict"},
    "ready_spooling": {
        "pt": "Pronta para prever; o banco de dados está fora, e as previsões esperam por ele no disco local",
        "en": "Ready to predict; the database is away, and predictions wait for it on the local disk",
    },
    "model_loaded": {"pt": "Modelo carregado com sucesso", "en": "Model loaded"},
    "service_open": {
        "pt": "Sem chave de acesso: qualquer um que alcance esta porta pode prever e carregar modelos.",
        "en": "No access key: whoever reaches this port can predict and load models.",
    },
    # titles of problems
    "title_400": {"pt": "Requisição inválida", "en": "Bad request"},
    "title_404": {"pt": "Não encontrado", "en": "Not found"},
    "title_405": {"pt": "Método não permitido", "en": "Method not allowed"},
    "title_409": {"pt": "Conflito", "en": "Conflict"},
    "title_408": {"pt": "Tempo esgotado", "en": "Timed out"},
    "title_413": {"pt": "Corpo grande demais", "en": "Content too large"},
    "title_415": {"pt": "Tipo de conteúdo não aceito", "en": "Unsupported media type"},
    "title_422": {"pt": "Conteúdo recusado", "en": "Content refused"},
    "title_500": {"pt": "Erro interno", "en": "Internal error"},
    "title_503": {"pt": "Serviço indisponível", "en": "Service unavailable"},
    # details of problems
    "invalid_fields": {
        "pt": "O pedido tem {count} problema(s): {fields}.",
        "en": "The request has {count} problem(s): {fields}.",
    },
    "no_route": {"pt": "Não há nada em {path}; veja /docs.", "en": "There is nothing at {path}; see /docs."},
    "wrong_method": {
        "pt": "{path} não aceita {method}; aceita {allowed}.",
        "en": "{path} does not take {method}; it takes {allowed}.",
    },
    "malformed_upload": {
        "pt": "O corpo não é um formulário multipart legível; envie o modelo no campo file: "
        "curl -F file=@modelo.joblib.",
        "en": "The body is not a readable multipart form; send the model in the field file: "
        "curl -F file=@model.joblib.",
    },
    "body_too_large": {
        "pt": "O corpo passa do limite de {limit} bytes.",
        "en": "The body is larger than the limit of {limit} bytes.",
    },
    "one_file": {
        "pt": "Há mais de um arquivo no campo file; envie um só.",
        "en": "There is more than one file in the field file; send one.",
    },
    "body_too_slow": {
        "pt": "O corpo não chegou inteiro a tempo; envie-o de novo.",
        "en": "The body did not arrive whole in time; send it again.",
    },
    "wrong_extension": {
        "pt": "{filename} não termina em .joblib nem em .pkl.",
        "en": "{filename} ends neither in .joblib nor in .pkl.",
    },
    "no_shadow": {
        "pt": "Nenhuma versão é comparada; escolha uma com POST /model/shadow/.",
        "en": "No version is being compared; choose one with POST /model/shadow/.",
    },
    "internal": {
        "pt": "Algo falhou aqui; o registro do serviço tem os detalhes sob este X-Request-Id.",
        "en": "Something failed here; the log of the service has the details under this X-Request-Id.",
    },
    # fields of a request
    "needs_reason": {"pt": "force precisa de um reason", "en": "force needs a reason"},
    "needed": {"pt": "é preciso para o modelo que está no ar", "en": "is needed by the live model"},
    "only_minutes": {
        "pt": "o modelo que está no ar dá só minutos, e não {given}",
        "en": "the live model gives minutes alone, and no {given}",
    },
    "missing": {"pt": "obrigatório, mas ausente", "en": "required, but absent"},
    "whole_number": {"pt": "deve ser um número inteiro, sem aspas", "en": "must be a whole number, without quotes"},
    "number": {"pt": "deve ser um número, sem aspas", "en": "must be a number, without quotes"},
    "finite_number": {"pt": "deve ser um número finito", "en": "must be a finite number"},
    "greater_than_equal": {"pt": "deve ser no mínimo {ge:g}", "en": "must be at least {ge:g}"},
    "less_than_equal": {"pt": "deve ser no máximo {le:g}", "en": "must be at most {le:g}"},
    "clock_time": {
        "pt": "deve ser uma hora hhmm, de 0 a 2359, ou 2400 para meia-noite",
        "en": "must be a clock time hhmm, from 0 to 2359, or 2400 for midnight",
    },
    "hour_disagrees": {
        "pt": "não é a hora de sched_dep_time; corrija um dos dois ou omita hour",
        "en": "is not the hour of sched_dep_time; correct one of them, or leave hour out",
    },
    "no_such_date": {"pt": "essa data não existe", "en": "there is no such date"},
    "string_type": {"pt": "deve ser um texto", "en": "must be a text"},
    "string_pattern_mismatch": {
        "pt": "não tem a forma esperada, {pattern}",
        "en": "has not the expected form, {pattern}",
    },
    "repeated_key": {"pt": "aparece mais de uma vez; envie um só", "en": "is there more than once; send it once"},
    "extra_forbidden": {"pt": "campo desconhecido", "en": "unknown field"},
    "extra_forbidden_nearest": {
        "pt": "campo desconhecido; você quis dizer {nearest}?",
        "en": "unknown field; did you mean {nearest}?",
    },
    "no_parameter": {"pt": "parâmetro desconhecido; há {known}", "en": "unknown parameter; there is {known}"},
    "no_parameter_nearest": {
        "pt": "parâmetro desconhecido; você quis dizer {nearest}?",
        "en": "unknown parameter; did you mean {nearest}?",
    },
    "no_include": {"pt": "{given} não existe; há {known}", "en": "there is no {given}; there are {known}"},
    "no_include_nearest": {
        "pt": "{given} não existe; você quis dizer {nearest}?",
        "en": "there is no {given}; did you mean {nearest}?",
    },
    "no_such_prediction": {"pt": "não há previsão com esse número", "en": "there is no prediction of that number"},
    "needs_dep_delay": {
        "pt": "precisa de dep_delay: o voo que chegou também saiu",
        "en": "needs dep_delay: a flight that has arrived has left",
    },
    "needs_arr_delay": {"pt": "precisa de arr_delay: o voo chegou", "en": "needs arr_delay: the flight has arrived"},
    "cancelled_arrived": {
        "pt": "o voo não pode ter chegado e ter sido cancelado",
        "en": "the flight cannot have arrived and have been cancelled",
    },
    "nothing_told": {
        "pt": "falta dizer o que houve com o voo: arr_delay ou cancelled",
        "en": "what became of the flight is missing: arr_delay, or cancelled",
    },
    "in_the_future": {"pt": "essa saída ainda está por vir", "en": "that departure is still to come"},
    "too_long": {
        "pt": "tem {actual_length} itens; o máximo é {max_length}",
        "en": "has {actual_length} items; at most {max_length} are taken",
    },
    "list_type": {"pt": "deve ser uma lista JSON", "en": "must be a JSON list"},
    "bool_type": {"pt": "deve ser true ou false", "en": "must be true or false"},
    "model_type": {"pt": "deve ser um objeto JSON", "en": "must be a JSON object"},
    "model_attributes_type": {"pt": "deve ser um objeto JSON", "en": "must be a JSON object"},
    "float_type": {"pt": "deve ser um número finito, sem aspas", "en": "must be a finite number, without quotes"},
    "json_invalid": {"pt": "não é JSON válido: {error}", "en": "is not valid JSON: {error}"},
    "int_parsing": {"pt": "deve ser um número inteiro", "en": "must be a whole number"},
    "int_type": {"pt": "deve ser um número inteiro", "en": "must be a whole number"},
    "int_parsing_size": {"pt": "é um número grande demais", "en": "is too large a number"},
    "value_error": {"pt": "valor inválido: {error}", "en": "invalid value: {error}"},
    "invalid": {"pt": "valor inválido", "en": "invalid value"},
}
