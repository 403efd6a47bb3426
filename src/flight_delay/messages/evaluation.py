"""What the page of an evaluation says, and the names in its tables and pictures."""

from flight_delay.messages.language import Language

TEXTS: dict[str, dict[Language, str]] = {
    "all that is known": {"pt": "tudo o que se sabe", "en": "all that is known"},
    "without weather": {"pt": "sem o tempo", "en": "without weather"},
    "without network state": {"pt": "sem a rede", "en": "without network"},
    "documented ten fields": {"pt": "só dez campos", "en": "ten fields only"},
    "habits as old as the model": {"pt": "hábitos antigos", "en": "old habits"},
    "nothing": {"pt": "nada", "en": "nothing"},
    "is told": {"pt": "sabe", "en": "is told"},
    "bias": {"pt": "viés", "en": "bias"},
    "calibration error 15+": {"pt": "erro de calibração 15+", "en": "calibration error 15+"},
    "calibration error 30+": {"pt": "erro de calibração 30+", "en": "calibration error 30+"},
    "inside 80 %": {"pt": "dentro de 80 %", "en": "inside 80 %"},
    "inside 90 %": {"pt": "dentro de 90 %", "en": "inside 90 %"},
    "width 80 %": {"pt": "largura 80 %", "en": "width 80 %"},
    "calibration error, buckets": {"pt": "erro de calibração, faixas", "en": "calibration error, buckets"},
    "log-loss, buckets": {"pt": "log-loss, faixas", "en": "log-loss, buckets"},
    "AUC, not arriving": {"pt": "AUC, não chegar", "en": "AUC, not arriving"},
    "calibration error, not arriving": {
        "pt": "erro de calibração, não chegar",
        "en": "calibration error, not arriving",
    },
    "by": {"pt": "por", "en": "by"},
    "of": {"pt": "de", "en": "of"},
    "month": {"pt": "mês", "en": "month"},
    "carrier": {"pt": "companhia", "en": "carrier"},
    "origin": {"pt": "origem", "en": "origin"},
    "hours": {"pt": "horas da partida", "en": "departure hours"},
    "flights": {"pt": "voos", "en": "flights"},
    "late 15+": {"pt": "atrasados 15+", "en": "late 15+"},
    "measure": {"pt": "medida", "en": "measure"},
    "mean": {"pt": "média", "en": "mean"},
    "standard deviation": {"pt": "desvio padrão", "en": "standard deviation"},
    "least": {"pt": "menor", "en": "least"},
    "most": {"pt": "maior", "en": "most"},
    "rmse": {"pt": "RMSE", "en": "RMSE"},
    "mae": {"pt": "MAE", "en": "MAE"},
    "auc_15": {"pt": "AUC 15+", "en": "AUC 15+"},
    "coverage_80": {"pt": "dentro de 80 %", "en": "inside 80 %"},
    "rmse_temporal": {"pt": "dividido pelo tempo", "en": "split by time"},
    "rmse_random": {"pt": "dividido ao acaso", "en": "split at random"},
    "baselines": {"pt": "sem o modelo", "en": "without the model"},
    "chart_rmse": {"pt": "RMSE (min)", "en": "RMSE (min)"},
    "chart_mae": {"pt": "MAE (min)", "en": "MAE (min)"},
    "chart_minutes": {"pt": "erro (min)", "en": "error (min)"},
    "chart_chance": {"pt": "chance dada", "en": "chance given"},
    "chart_share": {"pt": "parte que atrasou", "en": "share that was late"},
    "chart_coverage": {"pt": "voos dentro do intervalo", "en": "flights inside the interval"},
    "chart_flights": {
        "pt": "parte dos voos, os de maior chance antes",
        "en": "share of the flights, highest chance first",
    },
    "chart_caught": {"pt": "parte dos atrasados 15+ entre eles", "en": "share of those 15+ late among them"},
    "chart_count": {"pt": "{flights:,}", "en": "{flights:,}"},
    "evaluation_title": {"pt": "Avaliação do modelo", "en": "Evaluation of the model"},
    "evaluation_source": {
        "pt": "Fonte {source}, dados {digest}, código {version}. Treinado de {train}, calibrado em {calibrate}, "
        "testado em {test}: {flights:,} voos; dos que chegaram, {late_share:.1%} atrasaram 15 minutos ou mais.",
        "en": "Source {source}, data {digest}, code {version}. Trained on {train}, calibrated on {calibrate}, tested "
        "on {test}: {flights:,} flights; of those that arrived, {late_share:.1%} were 15 minutes late or more.",
    },
    "evaluation_scores": {"pt": "Ao lado de respostas mais simples", "en": "Beside simpler answers"},
    "evaluation_scores_reading": {
        "pt": "Menor é melhor. Depois da partida a resposta é a média, que se mede pela raiz do erro quadrático médio "
        "(RMSE); antes dela é a mediana, que se mede pelo erro absoluto médio (MAE). A pior situação ao servir é a dos "
        "dez campos: sem tempo, sem número de voo nem matrícula, e sem notícia da rede desde o treino.",
        "en": "Less is better. After departure the answer is the mean, which the root mean squared error (RMSE) is a "
        "measure of; before, it is the median, which the mean absolute error (MAE) is a measure of. The worst case "
        "when serving is that of ten fields: no weather, neither flight nor tail number, and no news of the network "
        "since training.",
    },
    "evaluation_horizons": {"pt": "Quanto mais se sabe", "en": "The more is known"},
    "evaluation_horizons_reading": {
        "pt": "Erro nos mesmos voos: dias antes, duas horas antes, depois da partida sem e com notícia da rede.",
        "en": "Error on the same flights: days before, two hours before, after departure without and with news of the "
        "network.",
    },
    "evaluation_reliability": {"pt": "As chances se cumprem?", "en": "Do the chances come true?"},
    "evaluation_reliability_reading": {
        "pt": "Na diagonal, o que foi dito é o que aconteceu. À esquerda 15 minutos ou mais, à direita 30.",
        "en": "On the diagonal, what was said is what happened. 15 minutes or more on the left, 30 on the right.",
    },
    "evaluation_intervals": {
        "pt": "Os intervalos contêm o que devem?",
        "en": "Do the intervals hold what they should?",
    },
    "evaluation_intervals_reading": {
        "pt": "Parte dos voos dentro do intervalo, por mês e por companhia; a linha tracejada é a prometida.",
        "en": "Share of the flights inside the interval, by month and by carrier; the dashed line is the one promised.",
    },
    "evaluation_gains": {"pt": "Quantos atrasados se acham", "en": "How many of the late are found"},
    "evaluation_gains_reading": {
        "pt": "Com os voos ordenados pela chance de atrasar 15 minutos ou mais; ao acaso seria a diagonal.",
        "en": "With the flights sorted by their chance of being 15 minutes late or more; chance would be the diagonal.",
    },
    "evaluation_slices": {
        "pt": "Por mês, companhia, origem e horas",
        "en": "By month, carrier, origin and hours",
    },
    "evaluation_slices_reading": {
        "pt": "Entre parênteses, os voos que chegaram; companhias e origens de poucos voos ficam de fora.",
        "en": "In brackets, the flights that arrived; carriers and origins of few flights are left out.",
    },
    "evaluation_backtest": {"pt": "Mês a mês", "en": "Month by month"},
    "evaluation_backtest_reading": {
        "pt": "Cada mês respondido por um modelo treinado em todos os anteriores. A tabela é de todos os voos juntos.",
        "en": "Each month answered by a model trained on all months before. The table is of all flights together.",
    },
    "evaluation_ranges": {"pt": "De um mês a outro", "en": "From month to month"},
    "evaluation_ranges_reading": {
        "pt": "Média, desvio padrão, menor e maior dos valores dos meses.",
        "en": "Mean, standard deviation, least and most of the figures of the months.",
    },
    "evaluation_leakage": {
        "pt": "Como uma divisão ao acaso engana",
        "en": "How a random split flatters",
    },
    "evaluation_leakage_reading": {
        "pt": "Não é um resultado do modelo: um só conjunto pequeno de árvores, medido nos mesmos voos, aprendido dos "
        "dias antes deles, e de voos sorteados entre todos, os dos mesmos dias entre eles. O segundo se lembra.",
        "en": "No result of the model: one small ensemble of trees, measured on the same flights, learnt from the days "
        "before them, and from flights drawn from all, those of the same days among them. The second one remembers.",
    },
}
