"""What is said of batches: of many flights in one request, and of what the history keeps of them."""

from flight_delay.messages.language import Language

TEXTS: dict[str, dict[Language, str]] = {
    "too_many_batches": {
        "pt": "{count} lotes já estão chegando; tente de novo em instantes.",
        "en": "{count} batches are coming in already; try again in a moment.",
    },
    "too_many_rows": {
        "pt": "Um lote tem até {limit} linhas (FLIGHT_DELAY_BATCH_ROWS); divida-o em mais de um.",
        "en": "A batch has up to {limit} rows (FLIGHT_DELAY_BATCH_ROWS); divide it into several.",
    },
    "row_too_long": {
        "pt": "A linha {row} (a primeira é 0) tem mais de {limit} bytes; um voo não precisa de tantos.",
        "en": "Row {row} (the first is 0) has more than {limit} bytes; a flight does not need so many.",
    },
    "batches_are_not_spooled": {
        "pt": "O banco de dados não pôde ser usado ({problem}), e lotes não são guardados no disco local enquanto "
        "isso: mande o lote de novo mais tarde, ou os voos um a um.",
        "en": "The database could not be used ({problem}), and batches are not kept on the local disk meanwhile: send "
        "the batch again later, or the flights one by one.",
    },
    "invalid_rows": {
        "pt": "{rows} linha(s) do lote têm problemas, e nada foi respondido; os primeiros {shown} estão em errors, "
        "cada um com o número da linha (a primeira é 0) e o campo. Corrija-os, ou peça on_error=skip para que as "
        "outras linhas sejam respondidas.",
        "en": "{rows} row(s) of the batch have problems, and nothing was answered; the first {shown} are in errors, "
        "each with the number of its row (the first is 0) and its field. Correct them, or ask for on_error=skip to "
        "have the other rows answered.",
    },
    "malformed_rows": {
        "pt": "O lote não pôde ser lido depois da linha {row} (a primeira é 0); nada foi respondido.",
        "en": "The batch could not be read after row {row} (the first is 0); nothing was answered.",
    },
    "list_needed": {
        "pt": "deve ser uma lista de voos, como [{{...}}, {{...}}]; um objeto por linha é application/x-ndjson",
        "en": "must be a list of flights, such as [{{...}}, {{...}}]; an object a line is application/x-ndjson",
    },
    "arrow_invalid": {"pt": "não é um fluxo Arrow válido: {error}", "en": "is no valid stream of Arrow: {error}"},
    "parquet_invalid": {
        "pt": "não é um Parquet que se possa ler: {error}",
        "en": "is no Parquet that can be read: {error}",
    },
    "parquet_missing": {
        "pt": "Parquet precisa de arro3, que não está instalado aqui: `pip install arro3-core arro3-io`. JSON, NDJSON "
        "e Arrow (application/vnd.apache.arrow.stream) vão sem ele.",
        "en": "Parquet needs arro3, which is not installed here: `pip install arro3-core arro3-io`. JSON, NDJSON and "
        "Arrow (application/vnd.apache.arrow.stream) do without it.",
    },
    "column_twice": {"pt": "há duas colunas com este nome", "en": "there are two columns of this name"},
    "column_type": {
        "pt": "a coluna não é de um tipo que cabe aqui: números (inteiros, float, decimal128) ou, nos códigos, textos",
        "en": "the column is not of a type that fits here: numbers (integers, float, decimal128) or, for codes, texts",
    },
    "cut_short": {
        "pt": "termina no meio; falta o ] da lista",
        "en": "ends in the middle; the ] of the list is missing",
    },
    "no_such_form": {
        "pt": "Um lote não pode vir como {given}; em Content-Type cabem: {known}.",
        "en": "A batch cannot come as {given}; Content-Type may be one of: {known}.",
    },
    "no_such_encoding": {
        "pt": "O corpo não pode vir com Content-Encoding {given}; mande-o sem compressão.",
        "en": "The body cannot come with Content-Encoding {given}; send it without compression.",
    },
    "no_answer_form": {
        "pt": "Um lote não é respondido como {accept}; peça em Accept um destes: {known}.",
        "en": "A batch is not answered as {accept}; ask in Accept for one of these: {known}.",
    },
    "no_batch": {
        "pt": "Não há lote {id} no histórico; ele nunca existiu, ou já foi apagado.",
        "en": "There is no batch {id} in the history; there never was, or it was deleted.",
    },
    "row_id": {
        "pt": "deve ser um texto de até 128 letras ou um número inteiro de até 64 bits",
        "en": "must be a text of up to 128 characters or a whole number of up to 64 bits",
    },
}
