"""What is said in the protocols beside our own."""

from flight_delay.messages.language import Language

TEXTS: dict[str, dict[Language, str]] = {
    "not_json": {
        "pt": "O corpo não é o JSON que este protocolo espera: {problem}",
        "en": "The body is not the JSON that this protocol expects: {problem}",
    },
    # Open Inference Protocol
    "no_such_model": {
        "pt": "Não há modelo {model}; o deste serviço chama-se {known}.",
        "en": "There is no model {model}; that of this service is called {known}.",
    },
    "version_not_live": {
        "pt": "A versão {version} não está no ar: responde a {live}. Promova-a com "
        "POST /model/versions/{version}/promote/, ou peça sem versão.",
        "en": "Version {version} is not live: {live} answers. Promote it with "
        "POST /model/versions/{version}/promote/, or ask without a version.",
    },
    "wrong_shape": {
        "pt": "O tensor {name} tem a forma {shape}; é preciso [n] ou [n, 1], com o mesmo n em todos os tensores.",
        "en": "The tensor {name} has the shape {shape}; it must be [n] or [n, 1], with the same n in all tensors.",
    },
    "wrong_length": {
        "pt": "O tensor {name} tem {given} valores, e a sua forma diz {expected}.",
        "en": "The tensor {name} has {given} values, and its shape says {expected}.",
    },
    "wrong_datatype": {
        "pt": "O tensor {name} vem como {datatype}; é preciso {expected}.",
        "en": "The tensor {name} comes as {datatype}; it must be {expected}.",
    },
    "tensor_twice": {
        "pt": "O tensor {name} vem mais de uma vez.",
        "en": "The tensor {name} comes more than once.",
    },
    "no_data": {
        "pt": "O tensor {name} precisa de data, ou do parâmetro binary_data_size, e não de ambos.",
        "en": "The tensor {name} needs data, or the parameter binary_data_size, and not both.",
    },
    "wrong_value": {
        "pt": "Um valor do tensor {name} não é do tipo {datatype}: {value}.",
        "en": "A value of the tensor {name} is not of the type {datatype}: {value}.",
    },
    "wrong_binary": {
        "pt": "Os dados binários não são os que o JSON anuncia ({name}); confira binary_data_size e o cabeçalho "
        "Inference-Header-Content-Length.",
        "en": "The binary data are not those that the JSON announces ({name}); check binary_data_size and the header "
        "Inference-Header-Content-Length.",
    },
    "no_such_output": {
        "pt": "O modelo não tem a saída {name}; tem {known}.",
        "en": "The model has no output {name}; it has {known}.",
    },
    "unsupported_parameter": {
        "pt": "O parâmetro {name} do tensor {tensor} não é atendido aqui.",
        "en": "The parameter {name} of the tensor {tensor} is not served here.",
    },
    # MLflow
    "wrong_media_type": {
        "pt": "O corpo precisa ser application/json ou text/csv, em UTF-8; veio {given}.",
        "en": "The body must be application/json or text/csv, in UTF-8; it is {given}.",
    },
    "one_form": {
        "pt": "O corpo precisa ser um objeto JSON com exatamente um dos campos {known}; tem {given}.",
        "en": "The body must be a JSON object with exactly one of the fields {known}; it has {given}.",
    },
    "wrong_form": {
        "pt": "{form} não tem a sua forma: {meaning[pt]}",
        "en": "{form} has not its form: {meaning[en]}",
    },
    "split_form": {
        "pt": "um objeto com columns, uma lista de nomes distintos, e data, uma lista de linhas com um valor para cada",
        "en": "an object with columns, a list of distinct names, and data, a list of rows with a value for each",
    },
    "records_form": {"pt": "uma lista de objetos, um por voo", "en": "a list of objects, one for each flight"},
    "tensors_form": {
        "pt": "uma lista de objetos, um por voo, ou um objeto de colunas do mesmo comprimento, pelo nome",
        "en": "a list of objects, one for each flight, or an object of columns of the same length, by name",
    },
    "include_form": {
        "pt": "um objeto com include, uma lista de textos ou um só com vírgulas",
        "en": "an object with include, a list of texts or a single one with commas",
    },
    "not_csv": {
        "pt": "O corpo não é um CSV legível com uma linha de cabeçalho: {problem}",
        "en": "The body is not a readable CSV with a line of headers: {problem}",
    },
    # the four buckets
    "given_twice": {"pt": "é dado mais de uma vez", "en": "is given more than once"},
    "arrives_before": {"pt": "a chegada não é depois da partida", "en": "the arrival is not after the departure"},
    "parameter_form": {"pt": "não tem a forma {form}", "en": "has not the form {form}"},
    "no_buckets": {
        "pt": "O modelo que está no ar dá só minutos, e não probabilidades; promova um que as tenha.",
        "en": "The live model gives minutes alone, and no probabilities; promote one that has them.",
    },
    "no_grant": {
        "pt": "É preciso grant_type=client_credentials com client_id e client_secret, como formulário; client_secret é "
        "a chave deste serviço.",
        "en": "grant_type=client_credentials is needed with client_id and client_secret, as a form; client_secret is "
        "the key of this service.",
    },
}
