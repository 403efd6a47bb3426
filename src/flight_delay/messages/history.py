"""What is said of the history: its filters, how it is exported, and what is deleted of it."""

from flight_delay.messages.language import Language

TEXTS: dict[str, dict[Language, str]] = {
    # the service
    "title_406": {"pt": "Formato não disponível", "en": "Not acceptable"},
    "not_acceptable": {
        "pt": "O histórico não existe como {accept}; peça em Accept um destes: {known}.",
        "en": "There is no history as {accept}; ask in Accept for one of these: {known}.",
    },
    "instant": {
        "pt": "deve ser uma data, como 2026-01-31, ou um instante com fuso, como 2026-01-31T12:00:00Z",
        "en": "must be a date, such as 2026-01-31, or an instant with its zone, such as 2026-01-31T12:00:00Z",
    },
    "one_criterion": {
        "pt": "Diga o que apagar por exatamente um destes: {known}. Sem isso nada é apagado.",
        "en": "Say what to delete by exactly one of these: {known}. Without it nothing is deleted.",
    },
    "no_prediction": {
        "pt": "Não há previsão {id} no histórico; ela nunca existiu, ou já foi apagada.",
        "en": "There is no prediction {id} in the history; there never was, or it was deleted.",
    },
    # the commands
    "help_history_commands": {
        "pt": "O histórico de previsões: exportar, podar por idade, apagar, e o registro do que foi apagado. Vai "
        "direto ao banco de FLIGHT_DELAY_DATABASE_URL, com o serviço no ar ou não.",
        "en": "The history of predictions: export it, prune it by age, delete from it, and the record of what was "
        "deleted. It goes to the database of FLIGHT_DELAY_DATABASE_URL itself, whether the service is up or not.",
    },
    "help_history_export": {
        "pt": "Grava em um arquivo todas as previsões que os filtros deixam passar, da mais antiga à mais nova.",
        "en": "Write all predictions that the filters let pass to a file, oldest first.",
    },
    "help_history_output": {
        "pt": "Arquivo a gravar, .csv ou .ndjson; inteiro ou não é gravado",
        "en": "File to be written, .csv or .ndjson; whole or not at all",
    },
    "help_history_prune": {
        "pt": "Apaga as previsões mais antigas que uma idade ou data; rode-o por cron ou CronJob. Em um terminal, "
        "pergunta antes.",
        "en": "Delete the predictions that are older than an age or a date; run it from cron or a CronJob. On a "
        "terminal it asks first.",
    },
    "help_older_than": {
        "pt": "Idade em dias, como 90d, ou uma data (UTC) ou instante com fuso, como 2026-01-01",
        "en": "Age in days, such as 90d, or a date (UTC) or an instant with its zone, such as 2026-01-01",
    },
    "help_history_delete": {
        "pt": "Apaga previsões pelo número (--id, repetido), lotes pelo deles (--batch) ou o que um pedido teve "
        "(--request-id). Em um terminal, pergunta antes.",
        "en": "Delete predictions by id (--id, repeated), batches by theirs (--batch), or what a request had "
        "(--request-id). On a terminal it asks first.",
    },
    "help_history_deletions": {
        "pt": "Mostra o que foi apagado: quando, por quem, por qual critério e quantas previsões.",
        "en": "Show what was deleted: when, by whom, by which criterion, and how many predictions.",
    },
    "help_history_id": {"pt": "Número da previsão, X-Prediction-Id", "en": "Id of the prediction, X-Prediction-Id"},
    "help_history_batch": {"pt": "Número do lote, X-Batch-Id", "en": "Id of the batch, X-Batch-Id"},
    "help_request_id": {"pt": "Chave do pedido, X-Request-Id", "en": "Key of the request, X-Request-Id"},
    "help_history_carrier": {"pt": "Só desta companhia (IATA)", "en": "Only of this airline (IATA)"},
    "help_history_origin": {
        "pt": "Só de voos deste aeroporto (IATA)",
        "en": "Only of flights from this airport (IATA)",
    },
    "help_history_dest": {
        "pt": "Só de voos para este aeroporto (IATA)",
        "en": "Only of flights to this airport (IATA)",
    },
    "help_history_version": {"pt": "Só as desta versão do modelo", "en": "Only those of this version of the model"},
    "help_history_since": {
        "pt": "Só desde esta data (UTC) ou instante com fuso",
        "en": "Only since this date (UTC) or instant with its zone",
    },
    "help_history_until": {
        "pt": "Só antes desta data (UTC) ou instante com fuso",
        "en": "Only before this date (UTC) or instant with its zone",
    },
    "help_yes": {"pt": "Não pergunta", "en": "Do not ask"},
    "history_form": {"pt": "deve terminar em {known}", "en": "must end in {known}"},
    "age_or_date": {
        "pt": "deve ser uma idade em dias, como 90d, ou uma data, como 2026-01-31, ou um instante com fuso",
        "en": "must be an age in days, such as 90d, or a date, such as 2026-01-31, or an instant with its zone",
    },
    "id_or_request": {
        "pt": "diga exatamente um deles: --id ou --batch (repetidos, se forem vários), ou --request-id",
        "en": "exactly one of these is needed: --id or --batch (repeated for several), or --request-id",
    },
    "doing_export": {"pt": "Histórico: exportando", "en": "History: exporting"},
    "doing_delete": {"pt": "Histórico: apagando", "en": "History: deleting"},
    "history_exported": {
        "pt": "{count:,} previsão(ões) em {path}.",
        "en": "{count:,} prediction(s) in {path}.",
    },
    "confirm_delete": {
        "pt": "Apagar {count:,} previsão(ões) do histórico, sem volta?",
        "en": "Delete {count:,} prediction(s) from the history, with no way back?",
    },
    "history_deleted": {
        "pt": "{count:,} previsão(ões) apagada(s), e isso registrado.",
        "en": "{count:,} prediction(s) deleted, and that recorded.",
    },
    "nothing_to_delete": {"pt": "Nada a apagar.", "en": "There is nothing to delete."},
    "nothing_deleted_yet": {"pt": "Nada foi apagado até hoje.", "en": "Nothing was ever deleted."},
    "deletions_title": {"pt": "O que foi apagado (horas em UTC)", "en": "What was deleted (times in UTC)"},
    "when": {"pt": "quando", "en": "when"},
    "by whom": {"pt": "por quem", "en": "by whom"},
    "criterion": {"pt": "critério", "en": "criterion"},
    "predictions": {"pt": "previsões", "en": "predictions"},
    "batches": {"pt": "lotes", "en": "batches"},
}
