"""The whole import against a load of the same people written by hand, and a COPY, in one run."""

import csv
import os
import random
import tempfile
import time
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

from django.conf import settings
from django.core.management import call_command
from django.db import connection

from customers.benchmarks import load_baseline
from customers.domain.imports.mapping import FileMapping, parse_mapping
from customers.domain.values.national_id import check_digit
from customers.services.imports import from_file
from customers.services.imports.from_file import ImportOrder, ImportReport
from loancrm.kernel import clock
from loancrm.kernel.access import system_actor
from loancrm.kernel.commands import bench
from loancrm.kernel.commands.bench import BenchGoal, BenchReport

FULL = 1_000_000
GOALS = (
    BenchGoal("ratio_to_load", 0.8),
    BenchGoal("ratio_to_copy", 0.15),
    BenchGoal("same_file_speedup", 3.0),
    BenchGoal("peak_rss_mb", 400.0, at_least=False),
)
_SEED = 20_260_101
_INDEXED = ("id", "card", "phone", "email")
_COLUMNS = {
    "id": "",
    "name": "customer.name",
    "card": "customer.national_id",
    "phone": "contact.phone",
    "email": "contact.email",
    "born": "customer.birth_date",
    "gender": "customer.gender",
    "province": "customer.province",
    "city": "customer.city",
    "occupation": "customer.occupation",
    "education": "customer.education",
    "marital": "customer.marital",
    "band": "customer.income_band",
    "income": {"to": "attribute.bench_income", "type": "number"},
    "limit": {"to": "attribute.bench_limit", "type": "number"},
    "joined": {"to": "attribute.bench_joined", "type": "day"},
    "vip": {"to": "attribute.bench_vip", "type": "flag"},
    "branch": "attribute.bench_branch",
    "sms": "consent.sms.marketing",
    "mail": "consent.email.marketing",
}
_WORDS = {
    "province": ("陕西", "广东", "四川", "浙江"),
    "city": ("西安", "深圳", "成都", "杭州", "宝鸡"),
    "occupation": ("教师", "司机", "工程师", "个体户"),
    "education": ("本科", "大专", "高中"),
    "marital": ("已婚", "未婚"),
    "band": ("A", "B", "C"),
    "branch": tuple(f"网点{number}" for number in range(200)),
}


def run(*, scale: float, rounds: int) -> BenchReport:
    """Measure COPY `rounds` times and the import once, fresh and again, on the same file."""
    started = time.monotonic()
    call_command("migrate", verbosity=0)
    count = max(int(FULL * scale), 1)
    with tempfile.TemporaryDirectory(dir=settings.LOANCRM_VAR_DIR) as folder:
        path = Path(folder) / "people.csv"
        with path.open("w", encoding="utf-8", newline="") as stream:
            csv.writer(stream).writerows(_lines(count))
        copy_seconds = bench.median([_copy(path) for _ in range(rounds)])
        mapping = _mapping()
        with bench.peak_memory() as peak:
            cpu = _cpu_seconds()
            first = _import(path, mapping)
            cpu = _cpu_seconds() - cpu
            again = _import(path, mapping)
        loads = [load_baseline.load_seconds() for _ in range(rounds)]
    return BenchReport(
        name="import",
        scale=scale,
        seconds=time.monotonic() - started,
        ratios={
            "ratio_to_load": round(
                bench.median([seconds for seconds, _ in loads]) / first.seconds, 4
            ),
            "ratio_to_copy": round(copy_seconds / first.seconds, 4),
            "same_file_speedup": round(first.seconds / again.seconds, 2),
        },
        figures={
            "rows": count,
            "rows_of_tables": loads[0][1],
            "copy_rows_per_second": round(count / copy_seconds),
            "import_rows_per_second": round(count / first.seconds),
            "again_rows_per_second": round(count / again.seconds),
            "cpu_ms_per_row": round(cpu * 1000 / count, 4),
            "created": first.created,
            "unchanged_again": again.unchanged,
            "peak_rss_mb": round(peak[0], 1),
        },
        goals=GOALS,
        memory_mb=peak[0],
    )


def _cpu_seconds() -> float:
    """Return the processor seconds of this process and of the copies that checked its rows."""
    return sum(os.times()[:4])


def _mapping() -> FileMapping:
    columns = {name: target for name, target in _COLUMNS.items() if target}
    return parse_mapping({"name": "bench", "id_column": "id", "columns": columns})


def _import(path: Path, mapping: FileMapping) -> ImportReport:
    return from_file.import_customers(
        actor=system_actor("command:bench"),
        order=ImportOrder(path=path, mapping=mapping),
        now=clock.now(),
        today=clock.today(),
    )


def _lines(count: int) -> Iterator[list[str]]:
    """Yield a header and rows of different made-up people with valid numbers."""
    chance = random.Random(_SEED)  # noqa: S311 - made-up rows, the same in every run
    first = date(1950, 1, 1)
    yield list(_COLUMNS)
    for serial in range(count):
        born = first + timedelta(days=serial % 18_000)
        body = f"610102{born:%Y%m%d}{serial // 18_000 * 7 % 1000:03d}"
        words = {name: chance.choice(found) for name, found in _WORDS.items()}
        name = "李王张刘陈"[serial % 5] + chr(0x4E00 + serial % 9000) + chr(0x4E00 + serial // 9000)
        yield [
            *(f"C{serial}", name, body + check_digit(body), f"13{serial:09d}"),
            *(f"p{serial}@example.com", born.isoformat(), ""),
            *(words[key] for key in ("province", "city", "occupation", "education", "marital")),
            *(words["band"], str(chance.randrange(2000, 60000)), f"{chance.randrange(1, 50)}000"),
            *((first + timedelta(days=25_000 + serial % 2000)).isoformat(), "YN"[serial % 2]),
            *(words["branch"], "YN"[not serial % 3], "Y" if serial % 4 else ""),
        ]


def _copy(path: Path) -> float:
    """Return the seconds of a plain load of the file into a table with indexes."""
    quote = connection.ops.quote_name
    columns = ", ".join(f"{quote(name)} text" for name in _COLUMNS)
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS bench_plain")
        cursor.execute(f"CREATE TABLE bench_plain ({columns})")
        for name in _INDEXED:
            cursor.execute(f"CREATE INDEX bench_plain_{name} ON bench_plain ({quote(name)})")
        started = time.monotonic()
        if connection.vendor == "postgresql":
            with (
                path.open("rb") as source,
                cursor.copy("COPY bench_plain FROM STDIN (FORMAT csv, HEADER)") as target,
            ):
                while block := source.read(1 << 20):
                    target.write(block)
        else:
            marks = ", ".join(["%s"] * len(_COLUMNS))
            with path.open(encoding="utf-8", newline="") as source:
                rows = csv.reader(source)
                next(rows)
                cursor.execute("BEGIN")
                cursor.executemany(f"INSERT INTO bench_plain VALUES ({marks})", list(rows))  # noqa: S608 - marks only
                cursor.execute("COMMIT")
        seconds = time.monotonic() - started
        cursor.execute("DROP TABLE bench_plain")
    return seconds
