"""Why an uploaded model file is not taken: a text for each reason of `flight_delay.errors.ModelRefused`."""

from flight_delay.messages.language import Language

TEXTS: dict[str, dict[Language, str]] = {
    # how the file is written (flight_delay.model.untrusted.reader)
    "refused_names": {
        "pt": "O arquivo pede o que um modelo não precisa e não foi aberto: {names}.",
        "en": "The file asks for what no model needs, and was not opened: {names}.",
    },
    # what the model is (flight_delay.model.foreign)
    # what became of the process that opened it (flight_delay.model.untrusted.sandbox)
    "refused_time": {
        "pt": "Abrir o arquivo levou mais de {seconds} s e foi interrompido; envie um modelo menor.",
        "en": "Opening the file took more than {seconds} s, and was ended; send a smaller model.",
    },
    "refused_memory": {
        "pt": "Abrir o arquivo precisou de mais de {megabytes} MB de memória; envie um modelo menor.",
        "en": "Opening the file needed more than {megabytes} MB of memory; send a smaller model.",
    },
    "refused_output": {
        "pt": "O que se fez do arquivo passou de {megabytes} MB; envie um modelo menor.",
        "en": "What was made of the file went past {megabytes} MB; send a smaller model.",
    },
    "refused_crashed": {
        "pt": "O processo que abria o arquivo parou ({problem}); grave o modelo de novo com joblib.dump.",
        "en": "The process that opened the file broke off ({problem}); write the model again with joblib.dump.",
    },
    "refused_given_up": {
        "pt": "O serviço está parando e o arquivo não foi aberto até o fim; envie-o de novo.",
        "en": "The service is stopping, and the file was not opened to its end; send it again.",
    },
}
