"""What is said of keys: by the service that asks for one, and by the command that makes them."""

from flight_delay.messages.language import Language

TEXTS: dict[str, dict[Language, str]] = {
    # problems
    "title_401": {"pt": "Falta uma chave de acesso válida", "en": "A valid access key is needed"},
    "title_403": {"pt": "A chave não permite isso", "en": "The key does not allow this"},
    "no_key": {
        "pt": "Este serviço pede uma chave: envie-a no cabeçalho Authorization: Bearer CHAVE, ou X-API-Key: CHAVE. "
        "Quem o administra cria uma com `flight-delay keys create`.",
        "en": "This service asks for a key: send it in the header Authorization: Bearer KEY, or X-API-Key: KEY. "
        "Whoever runs it makes one with `flight-delay keys create`.",
    },
    "wrong_key": {
        "pt": "Essa chave não é conhecida aqui, ou foi revogada; `flight-delay keys list` mostra as que há.",
        "en": "That key is not known here, or was revoked; `flight-delay keys list` shows those that there are.",
    },
    "scope_lacking": {
        "pt": "A chave {name} não tem o escopo {scope}, que isto pede; crie uma que o tenha com "
        "`flight-delay keys create`.",
        "en": "The key {name} lacks the scope {scope}, which this needs; make one that has it with "
        "`flight-delay keys create`.",
    },
    "keys_required": {
        "pt": "FLIGHT_DELAY_REQUIRE_KEYS pede chaves, e não há nenhuma; crie uma com "
        "`flight-delay keys create NOME --scope predict`.",
        "en": "FLIGHT_DELAY_REQUIRE_KEYS asks for keys, and there is none; make one with "
        "`flight-delay keys create NAME --scope predict`.",
    },
    "bool_parsing": {"pt": "deve ser 1 ou 0", "en": "must be 1 or 0"},
    # documentation
    "scheme_bearer": {
        "pt": "Uma chave feita com `flight-delay keys create`",
        "en": "A key that `flight-delay keys create` made",
    },
    "described_open": {
        "pt": "**Sem chave de acesso: qualquer um que alcance este serviço pode prever, ler o histórico e carregar "
        "modelos.** A primeira chave o fecha: `flight-delay keys create NOME --scope predict`.",
        "en": "**No access key: whoever reaches this service can predict, read the history and load models.** "
        "The first key closes it: `flight-delay keys create NAME --scope predict`.",
    },
    "described_keys": {
        "pt": "Cada pedido precisa de uma chave com o escopo da sua rota: `Authorization: Bearer CHAVE`.",
        "en": "Every request needs a key with the scope of its route: `Authorization: Bearer KEY`.",
    },
    # the start of the service
    "how_to_close": {
        "pt": "A primeira chave o fecha: flight-delay keys create NOME --scope predict",
        "en": "The first key closes it: flight-delay keys create NAME --scope predict",
    },
    "service_closed": {
        "pt": "Fechado: cada pedido precisa de uma chave (flight-delay keys create NOME --scope predict).",
        "en": "Closed: every request needs a key (flight-delay keys create NAME --scope predict).",
    },
    # the command
    "help_keys": {
        "pt": "Chaves de acesso ao serviço. Sem nenhuma ele é aberto; a primeira o fecha.",
        "en": "Access keys of the service. Without any it is open; the first one closes it.",
    },
    "help_keys_create": {
        "pt": "Cria uma chave, e a mostra esta única vez: só o seu SHA-256 é guardado. A primeira fecha o serviço.",
        "en": "Make a key, and show it this once: only its SHA-256 is kept. The first one closes the service.",
    },
    "help_keys_list": {"pt": "Lista as chaves, também as revogadas.", "en": "List the keys, revoked ones too."},
    "help_keys_revoke": {
        "pt": "Revoga uma chave: em um segundo nenhum processo a aceita mais. O serviço continua fechado.",
        "en": "Revoke a key: within a second no process takes it any more. The service stays closed.",
    },
    "help_key_name": {
        "pt": "De quem ela é: até 64 letras, algarismos e . _ @ -",
        "en": "Whose it is: up to 64 letters, digits and . _ @ -",
    },
    "help_key_scope": {
        "pt": "O que ela permite, e nada além: predict (prever, contar o que houve), read (ler o histórico e os "
        "modelos), manage (carregar, promover, apagar). Repita para dar vários; manage não inclui os outros.",
        "en": "What it allows, and nothing else: predict (predict, tell outcomes), read (read the history and the "
        "models), manage (load, promote, delete). Repeat it for several; manage does not include the others.",
    },
    "help_key_hashed": {
        "pt": "Não guarda a chave: mostra-a e, na linha seguinte, o que pôr em FLIGHT_DELAY_API_KEYS",
        "en": "Do not keep the key: show it and, on the next line, what to put into FLIGHT_DELAY_API_KEYS",
    },
    "help_key_named": {"pt": "O id, o nome, ou a própria chave", "en": "The id, the name, or the key itself"},
    "key_created": {
        "pt": "Chave {id} de {name}, para {scopes}. Guarde-a agora: ela não é mostrada de novo. Vale em um segundo; "
        "envie-a como Authorization: Bearer CHAVE.",
        "en": "Key {id} of {name}, for {scopes}. Keep it now: it is not shown again. It works within a second; "
        "send it as Authorization: Bearer KEY.",
    },
    "key_first": {
        "pt": "É a primeira: o serviço, até aqui aberto, agora pede uma chave a cada pedido.",
        "en": "It is the first: the service, open so far, now asks for a key with every request.",
    },
    "key_hashed": {
        "pt": "A primeira linha é a chave de {name}, que não é mostrada de novo; ponha a segunda em "
        "FLIGHT_DELAY_API_KEYS, separada das outras por vírgula, e reinicie o serviço.",
        "en": "The first line is the key of {name}, which is not shown again; put the second one into "
        "FLIGHT_DELAY_API_KEYS, separated from others by a comma, and restart the service.",
    },
    "key_revoked": {
        "pt": "A chave {id} de {name} foi revogada; em um segundo nenhum processo a aceita mais.",
        "en": "The key {id} of {name} is revoked; within a second no process takes it any more.",
    },
    "key_name_form": {
        "pt": "o nome pode ter até 64 letras, algarismos e . _ @ -",
        "en": "the name may have up to 64 letters, digits and . _ @ -",
    },
    "no_such_key": {
        "pt": "Não há chave em uso com esse id ou nome: {named}; veja `flight-delay keys list`.",
        "en": "There is no key in use with that id or name: {named}; see `flight-delay keys list`.",
    },
    "several_keys": {
        "pt": "{named} é o nome de mais de uma chave em uso; diga qual pelo id: {ids}.",
        "en": "{named} is the name of more than one key in use; say which by its id: {ids}.",
    },
    "keys": {"pt": "Chaves de acesso", "en": "Access keys"},
    "keys_none": {"pt": "Nenhuma no banco de dados.", "en": "None in the database."},
    "keys_set": {
        "pt": "Mais {count} em FLIGHT_DELAY_API_KEYS: {names}",
        "en": "{count} more in FLIGHT_DELAY_API_KEYS: {names}",
    },
    "key_id": {"pt": "id", "en": "id"},
    "key_name": {"pt": "nome", "en": "name"},
    "key_scopes": {"pt": "escopos", "en": "scopes"},
    "key_when": {"pt": "criada", "en": "created"},
    "key_until": {"pt": "revogada", "en": "revoked"},
}
