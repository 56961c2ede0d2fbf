"""How bands of scores that the product itself gives are read."""

from collections.abc import Mapping

from customers.domain.fields import Text

SCORE_BANDS: Mapping[str, Text] = {
    "important-value": Text("重要价值客户", "Important, valued"),
    "important-develop": Text("重要发展客户", "Important, to develop"),
    "important-keep": Text("重要保持客户", "Important, to keep"),
    "important-win-back": Text("重要挽留客户", "Important, to win back"),
    "general-value": Text("一般价值客户", "General, valued"),
    "general-develop": Text("一般发展客户", "General, to develop"),
    "general-keep": Text("一般保持客户", "General, to keep"),
    "general-win-back": Text("一般挽留客户", "General, to win back"),
}
# What the score `rfm` says in one number already.
RFM_PARTS = ("rfm_r", "rfm_f", "rfm_m")
