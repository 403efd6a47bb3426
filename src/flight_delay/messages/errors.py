"""What went wrong, a text for each kind of `flight_delay.errors`."""

from flight_delay.messages.language import Language

TEXTS: dict[str, dict[Language, str]] = {
    "source_missing": {
        "pt": "A fonte {source} não está lá: {path}",
        "en": "The source {source} is not there: {path}",
    },
    "source_unreadable": {"pt": "{path} não serve: {problem}", "en": "{path} cannot be used: {problem}"},
    "wrong_months": {
        "pt": "O mês {value} não serve: precisa ser {expected}.",
        "en": "The month {value} does not do: it must be {expected}.",
    },
    "key_missing": {
        "pt": "Falta uma chave: defina {setting} (no ambiente ou no arquivo .env); obtém-se em {address}.",
        "en": "A key is missing: set {setting} (in the environment or in the file .env); get one at {address}.",
    },
    "remote_failed": {
        "pt": "{url} não respondeu bem: {problem}. O que já chegou fica; rode o comando de novo mais tarde.",
        "en": "{url} did not answer well: {problem}. What has come is kept; run the command again later.",
    },
    "remote_refused": {
        "pt": "{url} recusou o pedido ({status}): {reason}",
        "en": "{url} refused the request ({status}): {reason}",
    },
    "contract_broken": {
        "pt": "O contrato de dados foi quebrado pela regra {rule} ({meaning[pt]}): {count} linha(s), por exemplo:",
        "en": "The data contract is broken by the rule {rule} ({meaning[en]}): {count} row(s), for example:",
    },
    "dataset_missing": {
        "pt": "Não há tabela processada em {path}; rode `flight-delay etl`.",
        "en": "There is no processed table in {path}; run `flight-delay etl`.",
    },
    "too_few_months": {
        "pt": "A tabela em {path} tem {months} mês(es) para isso; são precisos {needed} ou mais.",
        "en": "The table in {path} has {months} month(s) for this; {needed} or more are needed.",
    },
    "months_missing": {
        "pt": "A tabela em {path} não tem {months}, de que o modelo aprendeu ou em que se testa; "
        "rode `flight-delay etl` ou treine de novo.",
        "en": "The table in {path} lacks {months}, which the model learnt from or is tested on; "
        "run `flight-delay etl`, or train again.",
    },
    "dataset_unreadable": {
        "pt": "A tabela em {path} está danificada ({problem}); apague a pasta e rode `flight-delay etl`.",
        "en": "The table in {path} is damaged ({problem}); delete the folder and run `flight-delay etl`.",
    },
    "output_unusable": {
        "pt": "O modelo não pode ser gravado em {path}: {problem}.",
        "en": "The model cannot be written to {path}: {problem}.",
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
        "pt": "O modelo de SHA-256 {sha256} não está entre os confiáveis, e não foi aberto. Se confia nele, ponha o "
        "digest em FLIGHT_DELAY_TRUSTED_MODEL_SHA256.",
        "en": "The model with SHA-256 {sha256} is not among those that are trusted, and was not opened. If you trust "
        "it, put the digest into FLIGHT_DELAY_TRUSTED_MODEL_SHA256.",
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
    "tracker_missing": {
        "pt": "O MLflow não está instalado: `pip install 'flight-delay[track]'`.",
        "en": "MLflow is not installed: `pip install 'flight-delay[track]'`.",
    },
    "conversion_failed": {
        "pt": "O modelo não pôde ser convertido: {problem}",
        "en": "The model could not be converted: {problem}",
    },
    "store_unavailable": {
        "pt": "O banco de dados não pôde ser usado: {problem}",
        "en": "The database could not be used: {problem}",
    },
    "gate_refused": {
        "pt": "A versão {version} não foi ao ar: em {flights} voos que chegaram ela errou {mae:.2f} min em média, e a "
        "{live}, que está no ar, {live_mae:.2f}; aceita-se até {most_worse_pct:g}% pior. Para promovê-la assim mesmo, "
        "use force com um reason.",
        "en": "Version {version} was not promoted: on {flights} flights that arrived it was off by {mae:.2f} min on "
        "average, and {live}, which is live, by {live_mae:.2f}; up to {most_worse_pct:g}% worse is taken. To promote "
        "it all the same, use force with a reason.",
    },
    "gate_unmeasured": {
        "pt": "A versão {version} não foi ao ar: nada a compara com a {live}, que está no ar. De {needed} voos que "
        "chegaram conhecem-se {flights}; conte outros a /model/outcomes/, ou use force com um reason.",
        "en": "Version {version} was not promoted: nothing compares it with {live}, which is live. Of {needed} "
        "flights that arrived {flights} are known; tell more to /model/outcomes/, or use force with a reason.",
    },
    "fields_needed": {
        "pt": "O modelo não tem resposta sem {fields}.",
        "en": "The model has no answer without {fields}.",
    },
    "spool_full": {
        "pt": "O banco de dados está fora, e as previsões que esperam por ele em {folder} já ocupam {most_mb} MB.",
        "en": "The database is away, and the predictions that wait for it in {folder} take up {most_mb} MB already.",
    },
    "no_such_version": {
        "pt": "Não há modelo de versão {version}, ou ele foi apagado; veja /model/versions/.",
        "en": "There is no model of version {version}, or it was deleted; see /model/versions/.",
    },
    "nothing_before": {
        "pt": "Antes da versão que está no ar não houve outra que ainda exista.",
        "en": "Before the live version there was no other that still exists.",
    },
    "version_in_use": {
        "pt": "A versão {version} está no ar; promova outra antes de apagá-la.",
        "en": "Version {version} is live; promote another one before you delete it.",
    },
    "driver_missing": {
        "pt": "O driver do PostgreSQL não pôde ser carregado ({problem}): `pip install 'flight-delay[postgres]'`.",
        "en": "The driver of PostgreSQL could not be loaded ({problem}): `pip install 'flight-delay[postgres]'`.",
    },
    "store_busy": {
        "pt": "{waiting} previsões esperam para ser gravadas; tente de novo em instantes.",
        "en": "{waiting} predictions wait to be written; try again in a moment.",
    },
    "flights_missing": {
        "pt": "Não há voos em {path}: é preciso um arquivo .parquet, .csv, .csv.gz ou .zip, ou uma pasta deles.",
        "en": "There are no flights in {path}: a .parquet, .csv, .csv.gz or .zip file is needed, or a folder of them.",
    },
    "flights_unreadable": {
        "pt": "{path} não pode ser lido como voos: {problem}",
        "en": "{path} cannot be read as flights: {problem}",
    },
    "columns_missing": {
        "pt": "Em {path} falta(m) a(s) coluna(s) {missing}. Todo voo precisa de {needed}: acrescente as que faltam, ou "
        "dê esses nomes às que já estão lá.",
        "en": "{path} lacks the column(s) {missing}. Every flight needs {needed}: add what is missing, or give these "
        "names to the columns that are there.",
    },
    "no_flight": {
        "pt": "{path}, linha {row} (a primeira depois do cabeçalho é 0): {field} é {value}, e {meaning[pt]}. Nada foi "
        "gravado; corrija ou tire a linha.",
        "en": "{path}, row {row} (the first after the header is 0): {field} is {value}, and {meaning[en]}. Nothing was "
        "written; correct the row, or take it out.",
    },
    "not_a_number": {"pt": "deve ser um número", "en": "must be a number"},
    "not_a_moment": {
        "pt": "deve ser um instante em UTC, como 2013-01-31 23:59:00",
        "en": "must be a moment in UTC, such as 2013-01-31 23:59:00",
    },
    "answers_unusable": {
        "pt": "As previsões não podem ser gravadas em {path}: {problem}.",
        "en": "The predictions cannot be written to {path}: {problem}.",
    },
    "answers_nameless": {
        "pt": "{path} não diz em que forma gravar as previsões: o nome precisa terminar em {known}.",
        "en": "{path} does not say in which form to write the predictions: its name must end in {known}.",
    },
}
