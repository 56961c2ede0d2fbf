"""How discovered groups and the features behind them are called, in Chinese and English."""

from collections.abc import Mapping, Sequence

from analytics.domain.clustering import Cluster
from analytics.domain.profiles import ProfileDifference
from analytics.domain.rfm import RfmGroup
from customers.domain.fields.catalogue import Text
from customers.domain.fields.score_bands import SCORE_BANDS

_NAME_LENGTH = 120
_NAMED_DIFFERENCES = 2

FEATURE_LABELS: Mapping[str, Text] = {
    "app_login_count": Text("登录次数", "app logins"),
    "page_viewed_count": Text("浏览次数", "page views"),
    "link_clicked_count": Text("点击次数", "link clicks"),
    "application_submitted_count": Text("申请次数", "applications"),
    "repayment_made_count": Text("还款次数", "repayments"),
    "repayment_amount": Text("还款金额", "amount repaid"),
    "days_since_active": Text("未活跃天数", "days since active"),
    "loan_count": Text("贷款笔数", "loans"),
    "principal_amount": Text("贷款本金", "principal"),
    "outstanding_amount": Text("贷款余额", "outstanding"),
    "max_dpd_days": Text("最长逾期天数", "most days past due"),
}
RFM_FEATURES: Mapping[str, Text] = {
    "recency_days": Text("距最近一次天数", "days since the last"),
    "frequency": Text("次数", "number of times"),
    "mean_amount": Text("平均金额", "mean amount"),
}
RFM_LABELS: Mapping[RfmGroup, Text] = {group: SCORE_BANDS[group.value] for group in RfmGroup}


def both(text: Text) -> str:
    """Return the text for a place that is stored once and read in either language."""
    return f"{text.zh} · {text.en}"[:_NAME_LENGTH]


def column_label(column: str, labels: Mapping[str, Text]) -> Text:
    """Return what a scaled column is called: its feature, with the word of a category."""
    name, _, word = column.partition("=")
    label = labels.get(name) or Text(name, name)
    return Text(f"{label.zh}“{word}”", f"{label.en} “{word}”") if word else label


def cluster_name(cluster: Cluster, labels: Mapping[str, Text]) -> str:
    """Return a group's name from its strongest differences, such as 登录次数高、还款金额低."""
    parts = [_difference_text(d, labels) for d in cluster.differences[:_NAMED_DIFFERENCES]]
    return both(Text("、".join(p.zh for p in parts), ", ".join(p.en for p in parts)))


def _difference_text(difference: ProfileDifference, labels: Mapping[str, Text]) -> Text:
    label, is_high = column_label(difference.feature, labels), difference.z > 0
    if "=" in difference.feature:
        return Text(
            f"{label.zh}{'多' if is_high else '少'}", f"{'many' if is_high else 'few'} {label.en}"
        )
    return Text(
        f"{label.zh}{'高' if is_high else '低'}", f"{'high' if is_high else 'low'} {label.en}"
    )


def cluster_description(cluster: Cluster, stability: float, labels: Mapping[str, Text]) -> str:
    """Return size, stability and the strongest differences, a line a language."""
    lines = []
    for is_chinese in (True, False):
        told = _differences(cluster.differences, labels, is_chinese=is_chinese)
        lines.append(
            f"占客户的{cluster.share:.1%}；稳定性 {stability:.2f}；与全体相比：{told}"
            if is_chinese
            else f"{cluster.share:.1%} of customers; stability {stability:.2f}; "
            f"against everybody: {told}"
        )
    return "\n".join(lines)


def _differences(
    differences: Sequence[ProfileDifference], labels: Mapping[str, Text], *, is_chinese: bool
) -> str:
    language = "zh" if is_chinese else "en"
    return ("；" if is_chinese else "; ").join(
        f"{column_label(d.feature, labels).read(language)} {d.mean:.4g} ({d.overall_mean:.4g})"
        for d in differences
    )
