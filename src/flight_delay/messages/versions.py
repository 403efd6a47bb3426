"""What the commands say of versions of the model: which there are, which is live, how one is scored beside it."""

from flight_delay.messages.language import Language

TEXTS: dict[str, dict[Language, str]] = {
    "help_models": {
        "pt": "As versões do modelo: quais há, qual está no ar, como trocá-la. Vai direto ao banco de "
        "FLIGHT_DELAY_DATABASE_URL, com o serviço no ar ou não.",
        "en": "The versions of the model: which there are, which one is live, how to change it. It goes to the "
        "database of FLIGHT_DELAY_DATABASE_URL itself, whether the service is up or not.",
    },
    "help_models_list": {
        "pt": "Lista todos os modelos que foram aceitos, também os apagados.",
        "en": "List all models that were ever accepted, deleted ones too.",
    },
    "help_models_show": {
        "pt": "Mostra o que se sabe de uma versão.",
        "en": "Show what is known of a version.",
    },
    "help_models_promote": {
        "pt": "Põe uma versão no ar, se a comparação (FLIGHT_DELAY_GATE_WORSE_PCT) deixar.",
        "en": "Make a version live, if the gate (FLIGHT_DELAY_GATE_WORSE_PCT) lets it pass.",
    },
    "help_models_rollback": {
        "pt": "Volta à versão que estava no ar antes; de novo, vai mais para trás.",
        "en": "Go back to the version that was live before; asked again, it goes further back.",
    },
    "help_models_delete": {
        "pt": "Apaga uma versão que não está no ar. O registro dela fica; o mesmo arquivo, enviado de novo, a traz de "
        "volta.",
        "en": "Delete a version that is not live. Its record stays; the same file sent again brings it back.",
    },
    "help_models_deployments": {
        "pt": "Mostra o que esteve no ar e quando; esse registro não pode ser reescrito.",
        "en": "Show what was live when; that record cannot be rewritten.",
    },
    "help_models_shadow": {
        "pt": "Passa a dar a uma versão as mesmas previsões que a do ar responde, sem que ninguém as espere ou receba; "
        "--off encerra.",
        "en": "Have a version answer what the live one is asked, with nobody waiting for it or being told; --off ends "
        "it.",
    },
    "help_models_compare": {
        "pt": "Compara o que a versão à sombra (ou outra, que já esteve) teria respondido com o que foi respondido.",
        "en": "Compare what the shadow (or a version that was it once) would have answered with what was answered.",
    },
    "help_version": {"pt": "Número da versão", "en": "Number of the version"},
    "help_reason": {
        "pt": "Por quê; fica no registro do que esteve no ar",
        "en": "Why; it is kept in the record of what was live",
    },
    "help_force": {
        "pt": "Também se a comparação recusar; precisa de --reason, e o registro guarda o que ela disse",
        "en": "Also where the gate refuses; needs --reason, and the record keeps what the gate said",
    },
    "help_json": {"pt": "Em JSON, como o serviço responde", "en": "As JSON, as the service answers"},
    "help_off": {"pt": "Nenhuma versão à sombra", "en": "No shadow"},
    "force_reason": {"pt": "--force precisa de --reason", "en": "--force needs --reason"},
    "version_or_off": {
        "pt": "diga exatamente um dos dois: a versão ou --off",
        "en": "exactly one of the two is needed: the version or --off",
    },
    "versions_title": {"pt": "Versões do modelo (horas em UTC)", "en": "Versions of the model (times in UTC)"},
    "versions_caption": {
        "pt": "MAE e RMSE em minutos, depois da partida, no teste do treino; um modelo de outra origem não os conta.",
        "en": "MAE and RMSE in minutes, after departure, in the test of the training; a model of another's making "
        "tells none.",
    },
    "versions_none": {
        "pt": "Nenhum modelo foi aceito até hoje; rode `flight-delay train` e `flight-delay serve`.",
        "en": "No model was ever accepted; run `flight-delay train` and `flight-delay serve`.",
    },
    "version_title": {"pt": "Versão {version}", "en": "Version {version}"},
    "deployments_title": {"pt": "O que esteve no ar (horas em UTC)", "en": "What was live when (times in UTC)"},
    "deployments_none": {"pt": "Nada esteve no ar até hoje.", "en": "Nothing was ever live."},
    "version_number": {"pt": "versão", "en": "version"},
    "version_before": {"pt": "antes", "en": "before"},
    "version_state": {"pt": "estado", "en": "state"},
    "version_kind": {"pt": "tipo", "en": "kind"},
    "version_file": {"pt": "arquivo", "en": "file"},
    "deployment_generation": {"pt": "geração", "en": "generation"},
    "deployment_action": {"pt": "ação", "en": "action"},
    "deployment_reason": {"pt": "por quê", "en": "why"},
    "deployment_overruled": {"pt": "apesar de", "en": "in spite of"},
    "state_live": {"pt": "no ar", "en": "live"},
    "state_shadow": {"pt": "à sombra", "en": "shadow"},
    "state_deleted": {"pt": "apagada", "en": "deleted"},
    "fact": {"pt": "o quê", "en": "what"},
    "fact_value": {"pt": "valor", "en": "value"},
    "fact_sha256": {"pt": "SHA-256 do modelo", "en": "SHA-256 of the model"},
    "fact_source_sha256": {"pt": "SHA-256 do arquivo", "en": "SHA-256 of the file"},
    "fact_data_digest": {"pt": "digest da tabela do treino", "en": "digest of the table of the training"},
    "fact_code_version": {"pt": "programa que o treinou", "en": "program that trained it"},
    "fact_deleted": {"pt": "apagada em, por", "en": "deleted at, by"},
    "fact_features": {"pt": "variáveis ({part})", "en": "features ({part})"},
    "fact_test": {"pt": "teste, {part}", "en": "test, {part}"},
    "fact_scores": {
        "pt": "MAE {mae:.2f}, RMSE {rmse:.2f} min em {flights:,} voos",
        "en": "MAE {mae:.2f}, RMSE {rmse:.2f} min on {flights:,} flights",
    },
    "fact_confined": {"pt": "aberta por um processo sem", "en": "opened by a process without"},
    "promoted": {
        "pt": "A versão {version} está no ar (geração {generation}); em um segundo todo serviço deste banco responde "
        "com ela.",
        "en": "Version {version} is live (generation {generation}); within a second every running service of this "
        "database answers with it.",
    },
    "promoted_overruled": {
        "pt": "Contra a comparação, e isso fica no registro: {said}",
        "en": "In spite of the gate, and the record says so: {said}",
    },
    "version_deleted": {
        "pt": "A versão {version} foi apagada; o registro dela fica.",
        "en": "Version {version} is deleted; its record stays.",
    },
    "shadow_set": {
        "pt": "A versão {version} está à sombra: em um segundo todo serviço deste banco a compara. Veja com "
        "`flight-delay models compare`.",
        "en": "Version {version} is the shadow: within a second every running service of this database scores it. See "
        "`flight-delay models compare`.",
    },
    "shadow_is_live": {
        "pt": "Ela está no ar; só será comparada quando outra estiver.",
        "en": "It is live; it is scored only once another one is.",
    },
    "shadow_off": {"pt": "Nenhuma versão está à sombra.", "en": "There is no shadow."},
    "compare_none": {
        "pt": "Nenhuma versão está à sombra; escolha uma com `flight-delay models shadow VERSÃO`.",
        "en": "There is no shadow; choose one with `flight-delay models shadow VERSION`.",
    },
    "compare_title": {
        "pt": "Versão {version} ao lado do que foi respondido, em {scored:,} previsão(ões)",
        "en": "Version {version} beside what was answered, on {scored:,} prediction(s)",
    },
    "compare_difference": {
        "pt": "Ela responde {mean:+.2f} min em média (em módulo {absolute:.2f}).",
        "en": "It answers {mean:+.2f} min on average (in absolute value {absolute:.2f}).",
    },
    "compare_arrived": {
        "pt": "De {arrived:,} delas se contou a chegada pelo prediction_id.",
        "en": "Of {arrived:,} of them the arrival was told by prediction_id.",
    },
    "compare_answered": {"pt": "o que foi respondido", "en": "what was answered"},
}
