"""Every text that a person reads at run time, in Portuguese and English."""

from __future__ import annotations

import string
from typing import Any, Literal

Language = Literal["pt", "en"]
LANGUAGES: tuple[Language, ...] = ("pt", "en")

_TEXTS: dict[str, dict[Language, str]] = {
    # the service
    "healthy": {"pt": "API está funcionando corretamente", "en": "The API is working"},
    "ready": {"pt": "Pronta para prever", "en": "Ready to predict"},
    "model_loaded": {"pt": "Modelo carregado com sucesso", "en": "Model loaded"},
    "service_open": {
        "pt": "Sem chave de acesso: qualquer um que alcance esta porta pode prever e carregar modelos.",
        "en": "No access key: whoever reaches this port can predict and load models.",
    },
    # titles of problems
    "title_400": {"pt": "Requisição inválida", "en": "Bad request"},
    "title_404": {"pt": "Não encontrado", "en": "Not found"},
    "title_405": {"pt": "Método não permitido", "en": "Method not allowed"},
    "title_413": {"pt": "Corpo grande demais", "en": "Content too large"},
    "title_415": {"pt": "Tipo de arquivo não aceito", "en": "Unsupported file type"},
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
    "wrong_extension": {
        "pt": "{filename} não termina em .joblib nem em .pkl.",
        "en": "{filename} ends neither in .joblib nor in .pkl.",
    },
    "internal": {
        "pt": "Algo falhou aqui; o registro do serviço tem os detalhes sob este X-Request-Id.",
        "en": "Something failed here; the log of the service has the details under this X-Request-Id.",
    },
    # fields of a request
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
    "extra_forbidden": {"pt": "campo desconhecido", "en": "unknown field"},
    "extra_forbidden_nearest": {
        "pt": "campo desconhecido; você quis dizer {nearest}?",
        "en": "unknown field; did you mean {nearest}?",
    },
    "model_type": {"pt": "deve ser um objeto JSON", "en": "must be a JSON object"},
    "json_invalid": {"pt": "não é JSON válido: {error}", "en": "is not valid JSON: {error}"},
    "int_parsing": {"pt": "deve ser um número inteiro", "en": "must be a whole number"},
    "int_type": {"pt": "deve ser um número inteiro", "en": "must be a whole number"},
    "int_parsing_size": {"pt": "é um número grande demais", "en": "is too large a number"},
    "value_error": {"pt": "valor inválido: {error}", "en": "invalid value: {error}"},
    "invalid": {"pt": "valor inválido", "en": "invalid value"},
    # errors of errors.py
    "source_missing": {
        "pt": "A fonte {source} não está lá: {path}",
        "en": "The source {source} is not there: {path}",
    },
    "source_unreadable": {"pt": "{path} não serve: {problem}", "en": "{path} cannot be used: {problem}"},
    "contract_broken": {
        "pt": "O contrato de dados foi quebrado pela regra {rule} ({meaning[pt]}): {count} linha(s), por exemplo:",
        "en": "The data contract is broken by the rule {rule} ({meaning[en]}): {count} row(s), for example:",
    },
    "dataset_missing": {
        "pt": "Não há tabela processada em {path}; rode `flight-delay etl`.",
        "en": "There is no processed table in {path}; run `flight-delay etl`.",
    },
    "too_few_months": {
        "pt": "A tabela em {path} tem {months} mês(es); a avaliação no tempo precisa de quatro ou mais.",
        "en": "The table in {path} has {months} month(s); a temporal evaluation needs four or more.",
    },
    "no_model": {
        "pt": "Nenhum modelo está carregado; envie um a /model/load/ ou rode `flight-delay train` e reinicie.",
        "en": "No model is loaded; send one to /model/load/, or run `flight-delay train` and restart.",
    },
    "model_file_missing": {
        "pt": "Não há modelo em {path}; rode `flight-delay train`.",
        "en": "There is no model in {path}; run `flight-delay train`.",
    },
    "not_a_model": {
        "pt": "{filename} não é um arquivo joblib nem pickle.",
        "en": "{filename} is neither a joblib nor a pickle file.",
    },
    "untrusted_model": {
        "pt": "O modelo de SHA-256 {sha256} não foi treinado aqui, e não foi aberto. Se confia nele, ponha o digest em "
        "FLIGHT_DELAY_TRUSTED_MODEL_SHA256.",
        "en": "The model with SHA-256 {sha256} was not trained here, and was not opened. If you trust it, put the "
        "digest into FLIGHT_DELAY_TRUSTED_MODEL_SHA256.",
    },
    "broken_artifact": {
        "pt": "O artefato do modelo está danificado: {problem}",
        "en": "The model's artefact is damaged: {problem}",
    },
    "spark_missing": {
        "pt": "O PySpark não está instalado: `pip install pyspark`.",
        "en": "PySpark is not installed: `pip install pyspark`.",
    },
    "java_missing": {
        "pt": "O Spark precisa de Java {oldest} ou mais novo; encontrado: {looked_at}. Instale-o "
        "(`apt-get install openjdk-17-jre-headless`, `brew install openjdk@17`) e aponte JAVA_HOME para ele.",
        "en": "Spark needs Java {oldest} or later; found: {looked_at}. Install it "
        "(`apt-get install openjdk-17-jre-headless`, `brew install openjdk@17`) and point JAVA_HOME to it.",
    },
    "spark_failed": {
        "pt": "O Spark em {master} não abriu uma sessão: {problem}",
        "en": "Spark at {master} gave no session: {problem}",
    },
    "library_missing": {
        "pt": "O LightGBM não pode ser carregado: {problem}. Instale o OpenMP: `apt-get install libgomp1` "
        "(Debian, Ubuntu), `dnf install libgomp` (Fedora) ou `brew install libomp` (macOS).",
        "en": "LightGBM cannot be loaded: {problem}. Install OpenMP: `apt-get install libgomp1` "
        "(Debian, Ubuntu), `dnf install libgomp` (Fedora) or `brew install libomp` (macOS).",
    },
    "conversion_failed": {
        "pt": "O modelo não pôde ser convertido: {problem}",
        "en": "The model could not be converted: {problem}",
    },
    "store_unavailable": {
        "pt": "O banco de dados não pôde ser usado: {problem}",
        "en": "The database could not be used: {problem}",
    },
    "store_busy": {
        "pt": "{waiting} previsões esperam para ser gravadas; tente de novo em instantes.",
        "en": "{waiting} predictions wait to be written; try again in a moment.",
    },
    # the command line
    "help": {
        "pt": "Prevê quanto um voo vai atrasar. O caminho inteiro: `flight-delay up`.",
        "en": "Predicts how late a flight will arrive. The whole way: `flight-delay up`.",
    },
    "help_etl": {
        "pt": "Transforma os registros de voos na tabela processada (Parquet por mês), e confere o contrato de dados.",
        "en": "Turn the flight records into the processed table (Parquet by month), and check the data contract.",
    },
    "help_train": {
        "pt": "Treina o modelo com a tabela processada e o avalia em meses que ele não viu.",
        "en": "Train the model on the processed table, and evaluate it on months that it has not seen.",
    },
    "help_evaluate": {
        "pt": "Mede de novo um modelo treinado aqui, ao lado de respostas que não precisam de modelo.",
        "en": "Measure a model that was trained here again, beside answers that need no model.",
    },
    "help_serve": {"pt": "Serve a API HTTP com o modelo vivo.", "en": "Serve the HTTP API with the live model."},
    "help_predict": {
        "pt": "Prevê um voo aqui mesmo, sem serviço: "
        "--origin JFK --dest LAX --carrier DL --month 7 --day 23 --sched-dep-time 1630.",
        "en": "Predict one flight right here, without a service: "
        "--origin JFK --dest LAX --carrier DL --month 7 --day 23 --sched-dep-time 1630.",
    },
    "help_up": {
        "pt": "Do nada a um serviço: prepara os dados e treina se ainda for preciso, e serve.",
        "en": "From nothing to a service: prepare the data and train where that is still to be done, and serve.",
    },
    "help_etl_output": {"pt": "Pasta da tabela processada", "en": "Folder of the processed table"},
    "help_engine": {"pt": "O que executa o SQL", "en": "What runs the SQL"},
    "help_master": {
        "pt": "Com o Spark, o mestre: local[*] ou spark://SERVIDOR:7077",
        "en": "With Spark, its master: local[*] or spark://HOST:7077",
    },
    "help_data": {
        "pt": "Pasta da tabela processada, escrita por etl",
        "en": "Folder of the processed table, written by etl",
    },
    "help_train_output": {
        "pt": "Arquivo do modelo; métricas e cartão ficam ao lado dele",
        "en": "File of the model; metrics and card lie beside it",
    },
    "help_model": {"pt": "Arquivo do modelo, escrito por train", "en": "File of the model, written by train"},
    "help_host": {
        "pt": "Endereço em que escutar; 0.0.0.0 são todos",
        "en": "Address to listen on; 0.0.0.0 is all of them",
    },
    "help_port": {"pt": "Porta em que escutar", "en": "Port to listen on"},
    "help_workers": {
        "pt": "Processos; todos têm o mesmo modelo e o mesmo histórico",
        "en": "Processes; all have the same model and the same history",
    },
    "help_field_month": {"pt": "Mês, 1 a 12", "en": "Month, 1 to 12"},
    "help_field_day": {"pt": "Dia do mês", "en": "Day of the month"},
    "help_field_sched_dep_time": {
        "pt": "Partida prevista, hhmm, hora da origem",
        "en": "Scheduled departure, hhmm, the origin's clock",
    },
    "help_field_origin": {"pt": "Aeroporto de origem, código IATA", "en": "Airport of origin, IATA code"},
    "help_field_dest": {"pt": "Aeroporto de destino, código IATA", "en": "Airport of destination, IATA code"},
    "help_field_carrier": {"pt": "Companhia, código IATA", "en": "Airline, IATA code"},
    "help_field_sched_arr_time": {
        "pt": "Chegada prevista, hhmm, hora do destino",
        "en": "Scheduled arrival, hhmm, the destination's clock",
    },
    "help_field_distance": {
        "pt": "Quilômetros, se um dos aeroportos não for conhecido",
        "en": "Kilometres, if one of the airports is not known",
    },
    "help_field_dep_delay": {
        "pt": "Atraso na partida em minutos, se já partiu",
        "en": "Departure delay in minutes, if it has left",
    },
    "help_field_year": {
        "pt": "Ano; sem ele, a data mais próxima de hoje",
        "en": "Year; without it, the date nearest to today",
    },
    "step_read": {"pt": "lendo os registros", "en": "reading the records"},
    "step_airports": {"pt": "aeroportos", "en": "airports"},
    "step_weather": {"pt": "tempo", "en": "weather"},
    "step_flights_typed": {"pt": "voos: tipos e datas", "en": "flights: types and dates"},
    "step_departures": {"pt": "partidas em UTC", "en": "departures in UTC"},
    "step_arrivals": {"pt": "chegadas em UTC", "en": "arrivals in UTC"},
    "step_departure_weather": {"pt": "tempo na partida", "en": "weather at departure"},
    "step_flights": {"pt": "tabela processada", "en": "processed table"},
    "step_contract": {"pt": "conferindo o contrato", "en": "checking the contract"},
    "step_write": {"pt": "gravando", "en": "writing"},
    "step_load": {"pt": "lendo a tabela processada", "en": "reading the processed table"},
    "step_features": {"pt": "calculando as entradas do modelo", "en": "computing the features"},
    "step_fit": {"pt": "treinando", "en": "training"},
    "step_evaluate": {"pt": "avaliando", "en": "evaluating"},
    "step_save": {"pt": "gravando o modelo", "en": "saving the model"},
    "doing_etl": {"pt": "Dados: {source}", "en": "Data: {source}"},
    "doing_train": {"pt": "Modelo: treino", "en": "Model: training"},
    "doing_evaluate": {"pt": "Modelo: avaliação", "en": "Model: evaluation"},
    "etl_done": {
        "pt": "{rows_in:,} linhas lidas, {rows_out:,} voos gravados em {output}, {aside:,} linhas postas de lado.",
        "en": "{rows_in:,} rows in, {rows_out:,} flights written to {output}, {aside:,} rows set aside.",
    },
    "etl_aside": {
        "pt": "  posta(s) de lado: {count:,} por {reason}",
        "en": "  set aside: {count:,} because of {reason}",
    },
    "etl_aside_file": {"pt": "  veja-as em {path}", "en": "  see them in {path}"},
    "etl_weather": {
        "pt": "  {count:,} valor(es) de tempo impossível(is) virou(viraram) NULL.",
        "en": "  {count:,} impossible weather value(s) became NULL.",
    },
    "etl_current": {
        "pt": "Os dados em {output} já estão em dia: {rows_out:,} voos, {months} meses.",
        "en": "The data in {output} is up to date: {rows_out:,} flights, {months} months.",
    },
    "reason_unreadable_number": {"pt": "um número ilegível", "en": "a number that cannot be read"},
    "reason_incomplete": {"pt": "falta de um campo obrigatório", "en": "a required field that is missing"},
    "reason_no_such_date": {"pt": "uma data que não existe", "en": "a date that does not exist"},
    "reason_no_such_time": {"pt": "uma hora que não existe", "en": "a clock time that does not exist"},
    "reason_unknown_origin": {
        "pt": "um aeroporto de origem desconhecido",
        "en": "an airport of origin that is not known",
    },
    "reason_repeated": {"pt": "o mesmo voo outra vez", "en": "the same flight again"},
    "reason_broken_line": {"pt": "uma linha partida", "en": "a broken line"},
    "trained": {
        "pt": "Modelo em {model}; métricas em {metrics}; cartão em {card}.",
        "en": "Model in {model}; metrics in {metrics}; card in {card}.",
    },
    "model_current": {"pt": "O modelo em {model} já existe.", "en": "The model in {model} is there already."},
    "tested_on": {
        "pt": "Treinado de {train}, calibrado em {calibrate}, testado em {test} ({flights:,} voos)",
        "en": "Trained on {train}, calibrated on {calibrate}, tested on {test} ({flights:,} flights)",
    },
    # headings and cells of the table of scores
    "horizon": {"pt": "horizonte", "en": "horizon"},
    "who answers": {"pt": "quem responde", "en": "who answers"},
    "model": {"pt": "modelo", "en": "model"},
    "dep_delay itself": {"pt": "o próprio dep_delay", "en": "dep_delay itself"},
    "line a + b * dep_delay": {"pt": "reta a + b * dep_delay", "en": "line a + b * dep_delay"},
    "the original's linear model": {"pt": "modelo linear do original", "en": "original's linear model"},
    "constant median": {"pt": "mediana constante", "en": "constant median"},
    "ten fields and weather": {"pt": "dez campos e clima", "en": "ten fields and weather"},
    "ten fields": {"pt": "dez campos", "en": "ten fields"},
    "nine fields": {"pt": "nove campos", "en": "nine fields"},
    "predicted": {
        "pt": "Atraso previsto na chegada: {minutes:+.1f} min. Chance de chegar 15 min atrasado ou mais: {chance:.0%}.",
        "en": "Expected arrival delay: {minutes:+.1f} min. Chance of arriving 15 min late or more: {chance:.0%}.",
    },
    "port_taken": {
        "pt": "Não é possível escutar em {host}:{port} ({problem}). "
        "Escolha outra porta: `make run PORT=8001` ou --port 8001.",
        "en": "Cannot listen on {host}:{port} ({problem}). Choose another port: `make run PORT=8001` or --port 8001.",
    },
    "serving": {
        "pt": "Servindo em {url}\nDocumentação: {url}/docs\nExperimente:\n  {curl}\nPare com Ctrl+C.",
        "en": "Serving on {url}\nDocumentation: {url}/docs\nTry it:\n  {curl}\nStop with Ctrl+C.",
    },
    "invalid_setting": {
        "pt": "Configuração inválida: {names}.",
        "en": "Invalid setting: {names}.",
    },
    "stopped": {
        "pt": "Interrompido; o que já existia ficou inteiro.",
        "en": "Stopped; what was there before is whole.",
    },
}


class _Portuguese(string.Formatter):
    """Writes numbers that have a format as Portuguese does: 1.234,5."""

    def format_field(self, value: Any, format_spec: str) -> Any:
        shown = format(value, format_spec)
        return shown.translate(_SWAPPED) if format_spec and isinstance(value, int | float) else shown


_SWAPPED = str.maketrans(",.", ".,")
_FORMATTERS: dict[Language, string.Formatter] = {"pt": _Portuguese(), "en": string.Formatter()}


def text(key: str, language: Language, **facts: Any) -> str:
    """Return a text in a language, with the facts filled in."""
    return _FORMATTERS[language].format(_TEXTS[key][language], **facts)


def number(value: float, form: str, language: Language) -> str:
    """Return a number in the form of a format specification, as a language writes it."""
    return _FORMATTERS[language].format(f"{{:{form}}}", value)


def known(key: str) -> bool:
    """Whether there is a text of that name."""
    return key in _TEXTS


def from_accept_language(header: str) -> Language:
    """Return the language that an Accept-Language header prefers; Portuguese where it names neither."""
    best: Language = "pt"
    best_weight = 0.0
    for item in header.split(","):
        tag, _, parameter = item.partition(";")
        language = tag.strip().lower().split("-")[0]
        weight = _weight(parameter)
        if language in LANGUAGES and weight > best_weight:
            best, best_weight = ("en" if language == "en" else "pt"), weight
    return best


def from_locale(locale: str) -> Language:
    """Return the language of a POSIX locale such as `pt_BR.UTF-8`; English where it is not Portuguese."""
    return "pt" if locale.lower().startswith("pt") else "en"


def _weight(parameter: str) -> float:
    name, _, value = parameter.strip().partition("=")
    if name.strip() != "q":
        return 1.0
    try:
        return float(value)
    except ValueError:
        return 0.0
