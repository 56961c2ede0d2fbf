"""A past campaign comes in from raw files and is reported to the last customer."""

import io
import json

import pandas as pd
import pytest
from django.core.management import call_command

WINDOW = pd.Timedelta(days=7)


def _run(command, *arguments):
    out = io.StringIO()
    call_command(command, *map(str, arguments), "--json", stdout=out)
    return json.loads(out.getvalue())


def _recount(folder):
    """Return (exposed, converted within the window, converted ever) counted from the raw files."""
    events = pd.read_csv(folder / "events.csv", dtype=str)
    truth = pd.read_csv(folder / "truth.csv", dtype=str)
    events = events.drop_duplicates("event_id").merge(truth[["external_id", "person"]])
    events["at"] = pd.to_datetime(events["occurred_at"], utc=True)
    touched = events[events["event"] == "call_made"].groupby("person")["at"].min()
    applied = events[events["event"] == "application_submitted"].merge(
        touched.rename("first_at"), left_on="person", right_index=True
    )
    after = applied[applied["at"] >= applied["first_at"]]
    inside = after[after["at"] <= after["first_at"] + WINDOW]
    return len(touched), inside["person"].nunique(), after["person"].nunique()


@pytest.mark.sql
@pytest.mark.django_db
@pytest.mark.parametrize("events_first", [False, True])
def test_exposed_and_converted_persons_equal_a_recount_of_the_raw_files(shared_data, events_first):
    folder = shared_data / "campaign_bank"
    _run("import_customers", folder / "customers.csv", "--mapping", "campaign_bank")
    steps = [
        ("import_touches", folder / "events.csv", "--campaign", "calls", "--channel", "phone"),
        ("import_events", folder / "events.csv"),
    ]

    first, second = (_run(*step) for step in (steps[::-1] if events_first else steps))
    touched = second if events_first else first
    report = _run("campaign_report", "calls")

    exposed, converted, converted_ever = _recount(folder)
    assert (exposed, converted, converted_ever) == (4119, 411, 451)
    assert report["exposed"] == report["delivered"] == touched["exposed"] == exposed
    assert report["converted"] == converted
    assert report["converted_any_time"] == converted_ever
    rate = report["figures"]["conversion_rate"]
    assert (rate["numerator"], rate["denominator"], rate["excluded_count"]) == (411, 4119, 0)
    assert rate["value"] == pytest.approx(411 / 4119)
    assert rate["window"] == {"kind": "after_exposure", "length": 7, "unit": "day"}
    assert rate["as_of"] == report["as_of"]
    assert report["figures"]["lift"]["note"] == "no_holdout"
    assert touched["rejected"] == 0

    again = [_run(*step) for step in steps]
    assert [result["created"] for result in again] == [0, 0]
    assert _run("campaign_report", "calls")["converted"] == converted
