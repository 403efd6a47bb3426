"""What the document of the architecture says of limits and costs is what the command prints, of measured figures."""

import hashlib
import re
import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parent.parent.parent / "benchmarks"))
import costs
import measured
from measured import Lock, Measured

ROOT = Path(__file__).parent.parent.parent
USE = 0.5


@pytest.fixture
def known():
    """Figures that are easy to reckon with."""
    return Measured(
        sqlite_rate=8_000,
        postgresql_rate=5_000,
        one_client_rate=1_000,
        one_client_us=400,
        postgresql_us=200,
        two_processes=1.6,
        resident_mb=120,
        batch_rate=400_000,
        batch_us=2,
        batch_mb=230,
        locks=(Lock(1, 500, 300), Lock(16, 5_000, 60), Lock(250, 20_000, 40)),
        row_bytes=500,
        log_bytes=600,
        batch_row_bytes=20,
        batch_request_bytes=170,
        batch_answer_bytes=30,
        batch_kept_ms=30,
        batch_cpu_ms=20,
        batch_pruned_ms=10,
        exported_bytes=50,
        connections=4,
        request_bytes=300,
        answer_bytes=250,
        series=600,
        exported_rate=100_000,
        pruned_rate=20_000,
        etl_s=3,
        many_flights=20_000_000,
        many_s=200,
        many_mb=1_500,
        spark_times=20,
        features_s=20,
        fit_s=60,
        cores=2,
    )


def needed(rate, known, *, in_batches=False, days=30):
    return costs.need(costs.Scenario("", rate, in_batches, days), known, USE)


def test_the_document_has_the_tables_that_the_command_prints():
    document = costs.DOCUMENT.read_text("utf-8")
    given = costs.arguments([])
    assert costs.put(document, costs.printed(measured.measured(), given.use, given.prices)) == document


def test_the_images_were_drawn_of_what_the_document_says():
    document = costs.DOCUMENT.read_text("utf-8")
    blocks = re.findall(r"^```mermaid\n(.*?)^```$", document, re.M | re.S)
    drawn = (ROOT / "docs" / "diagrams" / "drawn.sha256").read_text().split()
    assert [hashlib.sha256(block.encode()).hexdigest() for block in blocks] == drawn[::2]
    assert (ROOT / "docs" / "diagram.png").read_bytes().startswith(b"\x89PNG")


def test_a_figure_is_the_median_where_a_spread_follows():
    assert measured.number("12,345 [11,000 to 13,000]") == 12345
    assert measured.number("1.74 [1.70 to 1.80]") == 1.74


def test_a_page_s_tables_are_read_by_their_headings():
    page = "| a | b |\n| --- | --- |\n| 1 | x |\n\ntext\n\n| c |\n| --- |\n| 2 |\n"
    assert list(measured.rows(page)) == [{"a": "1", "b": "x"}, {"c": "2"}]


def test_three_pods_are_there_however_little_is_asked(known):
    least = needed(1, known)
    assert (least.replicas, least.databases, least.replica_cores, least.database_cores) == (3, 1, 0.25, 1.0)


def test_the_manifest_is_what_is_reckoned_with():
    text = (ROOT / "kubernetes" / "deployment.yaml").read_text("utf-8")
    assert f"replicas: {costs.LEAST_REPLICAS}\n" in text
    assert f"cpu: {costs.LEAST_CORES * 1000:.0f}m\n" in text
    assert f"storage: {costs.VOLUME_GIB}Gi\n" in text


def test_pods_are_for_the_share_that_is_planned_for_and_one_more(known):
    # Two processes have 1.6 times 5,000 a second, so that each is taken for 4,000; half of that is planned for.
    assert [needed(rate, known).replicas for rate in (4_000, 4_001)] == [3, 4]


def test_each_database_has_pods_of_its_own(known):
    many = needed(50_000, known)
    assert (many.databases, many.replicas, many.connections) == (10, 10 * 4, 4 * known.connections)


def test_history_grows_with_the_rate(known):
    one, ten = needed(1_000, known), needed(10_000, known)
    assert one.day_gb == pytest.approx(43.2)
    assert one.database_gb == pytest.approx(30 * 43.2)
    assert ten.exported_gb_month == pytest.approx(10 * one.exported_gb_month)


def test_past_the_write_lock_there_is_another_database(known):
    # Writing 20,000 a second and pruning as many take the lock in turns: 10,000, of which half is planned for.
    assert [needed(rate, known).databases for rate in (5_000, 5_001)] == [1, 2]
    assert needed(50_000, known).database_gb == pytest.approx(needed(5_000, known).database_gb)


def test_groups_are_no_larger_than_the_rate_needs(known):
    assert [needed(rate, known).commits_s for rate in (100, 1_600, 5_000)] == [100, 100, 20]


@pytest.mark.parametrize("rate", [1, 100, 2_000, 5_000, 123_456])
def test_the_write_lock_is_held_no_longer_than_is_planned_for(known, rate):
    assert needed(rate, known).lock_share <= USE + 1e-9


def test_batches_need_one_database_and_few_bytes(known):
    singles, batches = needed(100_000, known), needed(100_000, known, in_batches=True)
    assert (batches.databases, batches.replicas, batches.commits_s) == (1, 3, 1)
    assert batches.day_gb == pytest.approx(singles.day_gb * 20 / 500)
    assert batches.lock_share == pytest.approx(0.04)


def test_money_is_the_amounts_times_their_prices(known):
    given = costs.arguments([f"--price={name}=2" for name in costs.PRICES])
    shown = costs.payments(known, USE, given.prices).splitlines()[-1]
    of = [costs.paid(costs.need(one, known, USE), known) for one in costs.SCENARIOS]
    assert [measured.number(cell) for cell in shown.split("|")[2:6]] == pytest.approx(
        [2 * sum(amounts.values()) for amounts in of], abs=0.01
    )
    assert "money" not in costs.payments(known, USE, {})


@pytest.mark.parametrize(
    "words",
    [
        ["--price", "gold=1"],
        ["--price", "core_hour=1"],
        [*(f"--price={name}=2" for name in costs.PRICES), "--write"],
    ],
)
def test_prices_are_known_complete_and_go_into_no_document(words):
    with pytest.raises(SystemExit):
        costs.arguments(words)


@pytest.mark.parametrize(
    ("amount", "said"), [(0, "0"), (0.0123, "0.012"), (4.06, "4.1"), (47.3, "47"), (12345, "12,300")]
)
def test_an_amount_has_no_more_figures_than_are_meant(amount, said):
    assert costs.short(amount) == said
