"""Flights from, to and within Brazil: the VRA ("Voo Regular Ativo") of the civil aviation agency ANAC.

Layouts: https://siros.anac.gov.br (20 columns, 21 since October 2022) and ANAC's "dados abertos" (12 columns
under a line that says when they were brought up to date).
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from flight_delay.sources import Clocks, CsvTable, Form, Source, nycflights13, record_files, reference_airlines
from flight_delay.sources.published import Month, Published, verified

NAME = "anac"

_SIROS = Form(
    {
        "Sigla ICAO Empresa Aérea": "carrier_icao",
        "Empresa Aérea": "carrier_name",
        "Número Voo": "flight",
        "Código DI": "",
        "Código Tipo Linha": "",
        "Modelo Equipamento": "",
        "Número de Assentos": "",
        "Sigla ICAO Aeroporto Origem": "origin_icao",
        "Descrição Aeroporto Origem": "",
        "Partida Prevista": "sched_dep_at",
        "Partida Real": "dep_at",
        "Sigla ICAO Aeroporto Destino": "dest_icao",
        "Descrição Aeroporto Destino": "",
        "Chegada Prevista": "sched_arr_at",
        "Chegada Real": "arr_at",
        "Situação Voo": "status",
        "Justificativa": "",
        "Referência": "",
        "Situação Partida": "",
        "Situação Chegada": "",
        "Codeshare": "",
    },
    optional=frozenset({"Codeshare"}),
    delimiter=";",
)

_OPEN_DATA = Form(
    {
        "ICAO Empresa Aérea": "carrier_icao",
        "Número Voo": "flight",
        "Código Autorização (DI)": "",
        "Código Tipo Linha": "",
        "ICAO Aeródromo Origem": "origin_icao",
        "ICAO Aeródromo Destino": "dest_icao",
        "Partida Prevista": "sched_dep_at",
        "Partida Real": "dep_at",
        "Chegada Prevista": "sched_arr_at",
        "Chegada Real": "arr_at",
        "Situação Voo": "status",
        "Código Justificativa": "",
    },
    delimiter=";",
)


FORMS = (_SIROS, _OPEN_DATA)


def table(paths: tuple[Path, ...]) -> CsvTable:
    """Return the table that some files make up."""
    return CsvTable(paths, FORMS, preamble="Atualizado em", encodings=("utf-8", "cp1252"))


def address(base: str, month: Month) -> str:
    """Return where the agency publishes a month's flights; until 2009 the month has no zero in front."""
    number = f"_{month.month:02d}" if month.year >= 2010 else f"{month.month}"
    return f"{base}/{month.year}/VRA_{month.year}{number}.csv"


PUBLISHED = Published(NAME, since=Month(2000, 1), address=address, table=table)


def source(where: Path) -> Source:
    """Return the flights of a monthly file, or of a folder of them; airports and airlines are those of the reference.

    Raises `SourceMissing` where there are no files, `SourceUnreadable` where one is not what was fetched.
    """
    return replace(
        nycflights13.source(),
        name=NAME,
        flights=table(tuple(verified(record_files(NAME, where)))),
        airlines=reference_airlines(),
        clocks=Clocks.BRASILIA,
        dated_by="sched_dep_at",
    )
