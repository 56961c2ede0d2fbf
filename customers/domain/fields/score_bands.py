"""How the scores that the product itself gives, and their bands, are read."""

from collections.abc import Mapping

from customers.domain.fields.catalogue import Text

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
CLV = "clv"
CLV_SO_FAR = "clv_so_far"
CLV_TO_COME = "clv_to_come"
SPENDING_MONTHLY = "spending_monthly"
SPENDING_TREND = "spending_trend"
SPENDING_TOP = "spending_top"
PAY_DAY = "pay_day"
BEST_SEND_HOUR = "best_send_hour"
# Followed by the kind of channel.
CHANNEL_PROPENSITY = "channel_propensity."
# Followed by the category.
SPENDING_SHARE = "spending_share_"
SCORE_NAMES: Mapping[str, Text] = {
    "application_risk": Text("申请风险", "application risk"),
    "default_risk": Text("违约概率", "chance of default"),
    "response": Text("响应概率", "chance of a response"),
    "churn": Text("提前结清概率", "chance of early settlement"),
    "need": Text("贷款需求概率", "chance of a need for a loan"),
    "uplift": Text("营销增益", "uplift of a contact"),
    "rfm": Text("RFM 分组", "RFM group"),
    CLV: Text("客户生命周期价值", "customer lifetime value"),
    CLV_SO_FAR: Text("已实现价值", "value so far"),
    CLV_TO_COME: Text("预期价值", "value to come"),
    SPENDING_MONTHLY: Text("月均消费", "spending a month"),
    SPENDING_TREND: Text("月消费变化率", "change of spending a month"),
    SPENDING_TOP: Text("最大消费类别占比", "share of the largest spending category"),
    PAY_DAY: Text("发薪日", "day of pay"),
    BEST_SEND_HOUR: Text("最佳发送时段（点）", "best hour to send"),
    f"{CHANNEL_PROPENSITY}sms": Text("短信响应率", "response by SMS"),
    f"{CHANNEL_PROPENSITY}email": Text("邮件响应率", "response by e-mail"),
    f"{CHANNEL_PROPENSITY}phone": Text("电话响应率", "response by phone"),
    f"{CHANNEL_PROPENSITY}wechat": Text("微信响应率", "response by WeChat"),
    f"{CHANNEL_PROPENSITY}push": Text("推送响应率", "response by push"),
}
# A challenger's scores, beside those that count.
SHADOW = "_shadow"
# What the score `clv` sums up.
CLV_PARTS = (CLV_SO_FAR, CLV_TO_COME)
# What the score `rfm` says in one number already.
RFM_PARTS = ("rfm_r", "rfm_f", "rfm_m")


def score_name(model: str) -> Text:
    """Return how the name of a scoring model is read; models from outside are read as they are."""
    if model.startswith(SPENDING_SHARE):
        category = model.removeprefix(SPENDING_SHARE)
        return Text(f"消费占比：{category}", f"share of spending: {category}")
    if (base := model.removesuffix(SHADOW)) != model:
        name = score_name(base)
        return Text(f"{name.zh}（挑战者）", f"{name.en} (challenger)")
    return SCORE_NAMES.get(model) or Text(model, model)


def is_spending(model: str) -> bool:
    """Return whether a score is part of how a person spends."""
    own = (SPENDING_MONTHLY, SPENDING_TREND, SPENDING_TOP, PAY_DAY)
    return model in own or model.startswith(SPENDING_SHARE)
