"""How figures of quality look on pages."""

from collections.abc import Mapping

from customers.domain.values.quality import Trend

TREND_TONES: Mapping[Trend, str] = {
    Trend.BETTER: "good",
    Trend.LEVEL: "busy",
    Trend.WORSE: "bad",
    Trend.UNKNOWN: "",
}
