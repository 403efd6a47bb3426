"""What each setting means, in Portuguese; in English its docstring says it."""

MEANINGS = {
    "database_url": "Onde ficam os modelos e o histórico: `sqlite:///` e um caminho, com quatro barras se absoluto; ou "
    "`postgresql://user:password@host/name`, para processos em mais de uma máquina. Todos os processos num banco de "
    "dados concordam quanto ao modelo no ar e ao histórico.",
    "raw_dir": "Onde o `airports-database.zip` do enunciado é procurado, e onde `fetch` põe os seus arquivos, em `bts` "
    "e `anac`.",
    "memory_mb": "Quanto dos dados o ETL mantém na memória de cada vez, em megabytes; o resto espera no disco, ao lado "
    "da saída. O processo precisa de uns 400 além disso.",
    "bts_url": "Onde o Bureau of Transportation Statistics dos EUA publica seus arquivos mensais, ou uma cópia deles.",
    "anac_url": "Onde a ANAC publica os seus arquivos mensais, ou uma cópia deles.",
    "open_meteo_url": "O arquivo de tempo do Open-Meteo.",
    "mesonet_url": "Iowa Environmental Mesonet, para o tempo.",
    "weatherbit_url": "Weatherbit, para o tempo.",
    "weatherbit_key": "A chave do Weatherbit.",
    "weatherbit_days": "Quantos dias a chave do Weatherbit permite num pedido; uma de teste permite 1.",
    "airportdb_url": "AirportDB, para as coordenadas dos aeroportos.",
    "airportdb_key": "A chave do AirportDB.",
    "http_timeout_s": "Por quanto tempo um serviço de que se buscam dados pode ficar calado, em segundos.",
    "processed_dir": "Onde `etl` escreve e `train` lê a tabela processada.",
    "model_dir": "Onde o treino escreve o modelo, e onde o serviço procura um quando não tem nenhum.",
    "trusted_model_sha256": "Digests SHA-256, separados por vírgulas (`sha256sum ARQUIVO`): se há algum, nenhum outro "
    "arquivo de modelo pode ser carregado, nem os treinados aqui.",
    "max_upload_mb": "O maior arquivo de modelo que pode ser carregado, em megabytes.",
    "max_connections": "Quantas conexões cada processo mantém de cada vez, até onde os arquivos que ele pode abrir "
    "deixam (200 menos que `ulimit -n`); as outras recebem 503.",
    "batch_rows": "Quantos voos um pedido a `/model/predict/batch/` pode ter.",
    "batch_mb": "O maior corpo de um pedido desses, em megabytes.",
    "batches_at_once": "Quantos lotes cada processo responde ao mesmo tempo; até quatro vezes isso podem estar "
    "chegando, e mais são recusados com 503.",
    "keep_history": "Se cada previsão é guardada no banco de dados antes de ser respondida; se não, ela não tem id, e "
    "o que houve com o voo não pode ser contado por ele.",
    "max_waiting": "Quantas previsões podem esperar de cada vez que cada processo as guarde; as outras recebem 503.",
    "when_away": "O que é das previsões enquanto o banco de dados está fora: `refuse` responde 503; `spool` responde "
    "pelo modelo que estava no ar, guarda as previsões no disco local, e as passa ao banco quando ele volta.",
    "spool_dir": "Onde `spool` as guarda, cada processo num arquivo seu.",
    "spool_mb": "Quanto cada processo pode guardar ali, em megabytes; além disso, recusa.",
    "gate_worse_pct": "Quantos por cento do erro absoluto médio uma versão pode ser pior que a que está no ar e ainda "
    "ir ao ar, em voos que chegaram; nenhum: não há essa porta.",
    "api_keys": "Chaves que abrem o serviço além das de `flight-delay keys`, em hash, como `name:scope+scope:sha256`, "
    "separadas por vírgulas; `flight-delay keys create NOME --scope predict --hashed` mostra uma.",
    "require_keys": "Se o serviço se recusa a iniciar onde não há chave, em vez de ficar aberto a todos.",
    "metrics_dir": "Onde os processos de um serviço acham o que os outros contaram, para que `/metrics/` fale de "
    "todos, qualquer que responda: uma pasta desta máquina, só deste serviço. `serve --workers` faz uma por si; a ser "
    "dada onde outro programa inicia os processos, não no Windows.",
    "requests_per_minute": "Quantos pedidos cada chave, por seu nome, pode fazer num minuto, e todos os que vêm sem "
    "chave juntos; nenhum: não há limite. Cada processo conta por si.",
    "drain_s": "Por quanto tempo o serviço ainda responde quando lhe mandam parar, dizendo que não está pronto, em "
    "segundos: o tempo que um balanceador pode levar para notar.",
    "log_format": "A forma do registro: `text` para uma pessoa, `json` para programas, um objeto por linha.",
    "log_requests": "Que pedidos vão ao registro: `failed` são os que o serviço não pôde responder, ou recusou por "
    "serem muitos.",
    "log_level": "O mínimo que vai ao registro, além dos pedidos.",
    "traces": "Se rastros dos pedidos são enviados pelo OpenTelemetry, cujas próprias configurações "
    "(OTEL_EXPORTER_OTLP_ENDPOINT e outras) dizem para onde; precisa de `flight-delay[traces]`.",
}
