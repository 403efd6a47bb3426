"""Why an uploaded model file is not taken: a text for each reason of `flight_delay.errors.ModelRefused`."""

from flight_delay.messages.language import Language

TEXTS: dict[str, dict[Language, str]] = {
    # how the file is written (flight_delay.model.untrusted.reader)
    "refused_names": {
        "pt": "O arquivo pede o que um modelo não precisa e não foi aberto: {names}.",
        "en": "The file asks for what no model needs, and was not opened: {names}.",
    },
    "refused_damaged": {
        "pt": "O arquivo está danificado ou incompleto: {problem}. Gere-o e envie-o de novo.",
        "en": "The file is damaged or incomplete: {problem}. Write it and send it again.",
    },
    "refused_opcode": {
        "pt": "O arquivo usa a instrução {opcode}, que nenhum modelo usa. Grave-o com joblib.dump.",
        "en": "The file uses the instruction {opcode}, which no model uses. Write it with joblib.dump.",
    },
    "refused_state": {
        "pt": "O arquivo dá a {name} um estado que nenhum modelo tem. Grave o modelo treinado com joblib.dump.",
        "en": "The file gives {name} a state that no model has. Write the fitted model with joblib.dump.",
    },
    "refused_complex": {
        "pt": "O arquivo é intricado demais: passa de um limite de {most:,}. Envie um modelo menor.",
        "en": "The file is too intricate: it exceeds a limit of {most:,}. Send a smaller model.",
    },
    "refused_size_inside": {
        "pt": "Descomprimido, o arquivo passa de {most:,} bytes. Envie um modelo menor.",
        "en": "Decompressed, the file exceeds {most:,} bytes. Send a smaller model.",
    },
    "refused_compression": {
        "pt": "Esta máquina não sabe descomprimir {name}. Grave o arquivo com outra compressão, ou sem nenhuma.",
        "en": "This machine cannot decompress {name}. Write the file with another compression, or with none.",
    },
    # what the model is (flight_delay.model.foreign)
    "refused_kind": {
        "pt": "{kind} não é um regressor que este serviço saiba ler. Envie um destes: {known}.",
        "en": "{kind} is no regressor that this service can read. Send one of these: {known}.",
    },
    "refused_transformer": {
        "pt": "{kind} não é uma transformação que este serviço saiba ler. Use uma destas: {known}.",
        "en": "{kind} is no transformer that this service can read. Use one of these: {known}.",
    },
    "refused_setting": {
        "pt": "{kind} com {setting} = {value} não pode ser lido aqui. Treine o modelo sem isso.",
        "en": "{kind} with {setting} = {value} cannot be read here. Fit the model without it.",
    },
    "refused_schema": {
        "pt": "O modelo pede {count} coluna(s) que este serviço não tem: {columns}. Treine-o só com estas, ou com "
        "campo_valor de uma delas (carrier_DL): {known}.",
        "en": "The model asks for {count} column(s) that this service does not have: {columns}. Fit it on these only, "
        "or on field_value of one of them (carrier_DL): {known}.",
    },
    "refused_schema_nameless": {
        "pt": "{kind} não guarda os nomes das colunas. Treine-o com um DataFrame, não com uma matriz.",
        "en": "{kind} does not keep the names of its columns. Fit it on a DataFrame, not on an array.",
    },
    "refused_schema_width": {
        "pt": "{what} é para {found} coluna(s), mas recebe {needed}. Grave o modelo como foi treinado.",
        "en": "{what} is for {found} column(s), but is given {needed}. Write the model as it was fitted.",
    },
    "refused_schema_text": {
        "pt": "O modelo recebe {columns} como texto, mas foi treinado com números. Ponha o codificador (OneHotEncoder, "
        "OrdinalEncoder) no mesmo Pipeline.",
        "en": "The model is given {columns} as text, but was fitted on numbers. Put the encoder (OneHotEncoder, "
        "OrdinalEncoder) into the same Pipeline.",
    },
    "refused_schema_categories": {
        "pt": "Os valores que o modelo conhece de {field} não são do tipo do campo. Treine-o com números onde o campo "
        "é um número (month: 7, não '7') e com texto onde é texto.",
        "en": "The values that the model knows of {field} are not of the type of the field. Fit it on numbers where "
        "the field is a number (month: 7, not '7'), and on text where it is text.",
    },
    "refused_schema_outputs": {
        "pt": "{kind} dá {outputs} respostas por voo; é preciso uma só, os minutos de atraso na chegada.",
        "en": "{kind} gives {outputs} answers for a flight; one is needed, the minutes of arrival delay.",
    },
    "refused_fitted": {
        "pt": "{attribute} não é o que o treino deixa ({problem}). Grave o modelo treinado com joblib.dump.",
        "en": "{attribute} is not what fitting leaves ({problem}). Write the fitted model with joblib.dump.",
    },
    "refused_tree": {
        "pt": "As árvores do modelo estão danificadas: {problem}. Grave o modelo treinado com joblib.dump.",
        "en": "The trees of the model are damaged: {problem}. Write the fitted model with joblib.dump.",
    },
    "refused_not_finite": {
        "pt": "Um número do modelo não é finito: {what}. Treine-o de novo com dados sem infinitos.",
        "en": "A number of the model is not finite: {what}. Fit it again on data without infinities.",
    },
    "refused_size": {
        "pt": "O modelo é grande demais: mais de {most:,} ({what}). Envie um menor.",
        "en": "The model is too large: more than {most:,} ({what}). Send a smaller one.",
    },
    "refused_unreadable": {
        "pt": "O modelo não pôde ser lido: {problem}. Grave o modelo treinado com joblib.dump.",
        "en": "The model could not be read: {problem}. Write the fitted model with joblib.dump.",
    },
    "refused_version": {
        "pt": "O arquivo é do scikit-learn {file}, mais novo que o {server} daqui. Treine o modelo com {server}.",
        "en": "The file is of scikit-learn {file}, newer than the {server} here. Fit the model with {server}.",
    },
    "refused_predict": {
        "pt": "O próprio modelo não responde aqui: {problem}. Treine-o com as bibliotecas que este serviço usa.",
        "en": "The model itself does not answer here: {problem}. Fit it with the libraries that this service uses.",
    },
    "refused_golden": {
        "pt": "No voo de teste {row} o modelo responde {own}, e o que se leu dele {converted}. Treine-o com o "
        "scikit-learn que este serviço usa.",
        "en": "For test flight {row} the model answers {own}, and what was read of it {converted}. Fit it with the "
        "scikit-learn that this service uses.",
    },
    "refused_implausible": {
        "pt": "No voo de teste {row} o modelo responde {minutes} min; mais de {most:,} não é um atraso. Verifique a "
        "unidade e os dados do treino.",
        "en": "For test flight {row} the model answers {minutes} min; more than {most:,} is no delay. Check the unit "
        "and the data that it was fitted on.",
    },
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
