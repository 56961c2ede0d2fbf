import csv
import io
import json

import pytest
from django.core.management import call_command

from analytics.selectors.credit import portfolio
from customers.models import Event, Instalment, Loan, Product, Repayment
from tests.factories.links import make_linked


def _command(folder):
    out = io.StringIO()
    call_command("import_loans", str(folder), "--kind", "berka", "--json", stdout=out)
    return json.loads(out.getvalue())


def _write(path, text):
    path.write_text(text, encoding="utf-8")


@pytest.fixture
def folder(tmp_path):
    """A bank of two clients on one account, with two loans and one loan payment."""
    _write(
        tmp_path / "disp.csv",
        "disp_id,client_id,account_id,type\n1,1,1,OWNER\n2,2,1,DISPONENT\n3,3,2,OWNER\n",
    )
    _write(
        tmp_path / "loan.csv",
        "loan_id,account_id,date,amount,duration,payments,status\n"
        "10,1,1996-01-31,1200,12,100,A\n11,2,1998-06-30,2400,24,100,D\n",
    )
    _write(
        tmp_path / "account.csv",
        "account_id,district_id,frequency,date\n1,1,POPLATEK TYDNE,1995-01-01\n",
    )
    _write(tmp_path / "card.csv", "card_id,disp_id,type,issued\n5,1,gold,1997-01-01\n")
    _write(
        tmp_path / "trans.csv",
        "trans_id,account_id,date,type,operation,amount,balance,k_symbol\n"
        "1,1,1996-02-29,VYDAJ,PREVOD NA UCET,100,900,UVER\n"
        "2,1,1996-03-01,PRIJEM,VKLAD,50.5,950.5,\n",
    )
    return tmp_path


@pytest.mark.sql
@pytest.mark.django_db
def test_the_folder_of_a_bank_is_taken_in(folder):
    people = make_linked(["1", "2", "3"], source="berka")

    first, again = _command(folder), _command(folder)

    assert (first["rows"], first["created"], first["rejected"]) == (45, 45, 0)
    assert (again["created"], again["updated"], again["unchanged"]) == (0, 0, 45)
    assert first["by_kind"]["repayments"]["created"] == 1
    assert set(Product.objects.values_list("code", flat=True)) == {"berka-12m", "berka-24m"}
    paid = Loan.objects.get(external_id="10")
    assert (paid.customer_id, paid.status) == (people["1"].pk, "settled")
    assert str(paid.settled_on) == "1997-01-31"
    assert [str(x.due_on) for x in paid.instalments.order_by("number")[:2]] == [
        "1996-02-29",
        "1996-03-31",
    ]
    running = Loan.objects.get(external_id="11")
    assert (running.status, running.is_state_reported) == ("overdue", True)
    assert running.outstanding_amount == 1800
    assert Repayment.objects.get().loan == paid
    credited = Event.objects.get(type__name="account_credited")
    assert (str(credited.amount), credited.channel) == ("50.50", "cash_credit")
    assert Event.objects.get(type__name="account_debited").subject == "loan_payment"


@pytest.mark.django_db
def test_rows_of_unknown_clients_are_rejected(folder):
    make_linked(["1"], source="berka")

    result = _command(folder)

    assert result["by_reason"]["person_unknown"] == 1
    assert result["by_reason"]["loan_unknown"] == 24


@pytest.mark.sql
@pytest.mark.django_db
def test_the_real_bank_gives_its_published_default_rate(shared_data, now):
    with (shared_data / "berka_bank" / "client.csv").open() as stream:
        make_linked((row["client_id"] for row in csv.DictReader(stream)), source="berka")

    result = _command(shared_data / "berka_bank")
    book = portfolio.load_portfolio(as_of=now, source="berka")

    assert result["rejected"] == 0
    assert result["by_kind"]["loans"]["created"] == 682
    assert Instalment.objects.count() == sum(Loan.objects.values_list("term_months", flat=True))
    # Source: SOURCE.md of the set: bad = B or D = 76 of 682; of the finished 31 of 234.
    assert (book.default_rate.numerator, book.default_rate.denominator) == (76, 682)
    finished = book.finished_default_rate
    assert (finished.numerator, finished.denominator, finished.excluded_count) == (31, 234, 448)
    assert book.by_status == {"active": 403, "charged_off": 31, "overdue": 45, "settled": 203}
