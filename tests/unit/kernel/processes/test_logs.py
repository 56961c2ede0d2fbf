import pytest

from loancrm.kernel.processes import logs


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("sent to wang@example.com now", "sent to *** now"),
        ("phone +8613800138000 failed", "phone *** failed"),
        ("phone 13800138000", "phone ***"),
        ("id 11010519491231002X refused", "id *** refused"),
        ("message 138001 of campaign 42", "message 138001 of campaign 42"),
        ("2026-03-04T10:00:00+08:00", "2026-03-04T10:00:00+08:00"),
    ],
)
def test_f53_personal_data_never_reaches_a_log_line(text, expected):
    assert logs.scrub(None, "info", {"event": text, "count": 3}) == {"event": expected, "count": 3}
