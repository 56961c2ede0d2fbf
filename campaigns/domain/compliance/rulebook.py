"""The rules that ship with the program: data, to change with the law.

No legal advice: the lender's counsel owns the rules. Where no official text could be read, the
source says from which reports a rule was taken.
"""

from datetime import date
from decimal import Decimal

from campaigns.domain.compliance.rules import (
    ComplianceRule,
    LenderType,
    RuleCheck,
    RuleSeverity,
    RulesInForce,
    in_force,
)

# The one-year loan prime rate: its first day, its share a year. Source: National Interbank Funding
# Center, published on the 20th of each month; to be added to when it changes.
LOAN_PRIME_RATES = ((date(2025, 5, 20), Decimal("0.030")),)

_MARKETING_RULES = "金融产品网络营销管理办法（2026年4月21日发布）"
_MARKETING_URL = "https://www.cac.gov.cn/2026-04/24/c_1778769008779432.htm"
_INDUCING = ("低风险", "低门槛", "秒到账", "高收益")
_COST_RULES = "个人贷款业务明示综合融资成本规定（金规〔2026〕2号）"
_COST_URL = "https://www.gov.cn/gongbao/2026/issue_12806/202606/content_7072468.html"
_ADVERTISING = "中华人民共和国广告法 第四十三条"
_SMS_RULES = "通信短信息服务管理规定（工业和信息化部令第31号）"
_ASSISTING = "关于加强商业银行互联网助贷业务管理的通知（金规〔2025〕9号；据报道）"
_MICRO = "小额贷款公司综合融资成本管理工作指引（2025年12月印发地方监管部门，未公开；据报道）"
_COLLECTION = "个人消费类贷款催收工作指引（试行）（中国银行业协会，2026年1月30日；据报道）"
_BANKS_AND_THEIRS = frozenset(
    {LenderType.BANK, LenderType.CONSUMER_FINANCE, LenderType.LOAN_ASSISTING}
)
_MICRO_LENDERS = frozenset({LenderType.MICRO_LENDER})
_TWENTY_FOUR = Decimal("0.24")

RULES: tuple[ComplianceRule, ...] = (
    ComplianceRule(
        rule_id="inducing-words",
        check=RuleCheck.BANNED_WORDS,
        severity=RuleSeverity.BLOCK,
        text_zh="不得使用“低风险”“低门槛”“秒到账”“高收益”等诱导性用语。",
        text_en="No inducing words such as 低风险, 低门槛, 秒到账, 高收益.",
        source=_MARKETING_RULES,
        url=_MARKETING_URL,
        since=date(2026, 9, 30),
        words=_INDUCING,
    ),
    ComplianceRule(
        rule_id="inducing-words-announced",
        check=RuleCheck.BANNED_WORDS,
        severity=RuleSeverity.WARN,
        text_zh="“低风险”“低门槛”“秒到账”“高收益”自2026年9月30日起禁用，现在起请避免。",
        text_en="Inducing words such as 低门槛 are forbidden from 2026-09-30 on; avoid them.",
        source=_MARKETING_RULES,
        url=_MARKETING_URL,
        since=date(2026, 4, 21),
        until=date(2026, 9, 29),
        words=_INDUCING,
    ),
    ComplianceRule(
        rule_id="risky-words",
        check=RuleCheck.BANNED_WORDS,
        severity=RuleSeverity.WARN,
        text_zh="“零风险”“无成本”“限时抢购”“无视征信”等用语有违规风险，请斟酌。",
        text_en="Words such as 零风险, 无成本, 限时抢购 or 无视征信 may break rules; weigh them.",
        source="广告法 第二十五条；据第三方检查工具所引金融产品网络营销管理办法第十条",
        since=date(2015, 9, 1),
        words=(
            *("低利率", "无成本", "保本", "零风险", "限时抢购"),
            *("秒杀", "无视征信", "黑户", "百分百通过"),
        ),
    ),
    ComplianceRule(
        rule_id="annual-rate-shown",
        check=RuleCheck.ANNUAL_RATE_SHOWN,
        severity=RuleSeverity.BLOCK,
        text_zh="凡提及贷款价格，须在旁明示年化利率；日、月利率不得单独出现。",
        text_en="Whoever names a price of credit shows the annual rate beside it.",
        source="中国人民银行公告〔2021〕第3号",
        since=date(2021, 3, 31),
    ),
    ComplianceRule(
        rule_id="all-in-cost-shown",
        check=RuleCheck.ALL_IN_COST_SHOWN,
        severity=RuleSeverity.WARN,
        text_zh="提及贷款利率时，应同时写明年化综合融资成本（含第三方收费）。",
        text_en="Beside a rate stands the annual all-in cost, with what third parties charge.",
        source=_COST_RULES,
        url=_COST_URL,
        since=date(2026, 8, 1),
    ),
    ComplianceRule(
        rule_id="cost-known",
        check=RuleCheck.COST_KNOWN,
        severity=RuleSeverity.BLOCK,
        text_zh="所列产品须能算出综合融资成本：利率、期限和各项费用齐全。",
        text_en="The all-in cost of a listed product must be known: its rate, term and fees.",
        source=_COST_RULES,
        url=_COST_URL,
        since=date(2026, 8, 1),
    ),
    ComplianceRule(
        rule_id="cost-cap-24-assisted",
        check=RuleCheck.COST_CAP,
        severity=RuleSeverity.BLOCK,
        text_zh="综合融资成本（含增信服务费）年化不得超过24%。",
        text_en="The all-in cost, with guarantee fees, is at most 24 % a year.",
        source=_ASSISTING,
        since=date(2025, 10, 1),
        lenders=_BANKS_AND_THEIRS,
        limit=_TWENTY_FOUR,
    ),
    ComplianceRule(
        rule_id="cost-average-20",
        check=RuleCheck.COST_CAP,
        severity=RuleSeverity.WARN,
        text_zh="消费金融公司平均综合融资成本应降至20%以内：高于此的产品会拉高平均值。",
        text_en="Consumer finance companies keep 20 % on average: dearer products raise it.",
        source="监管窗口指导（未公开；据报道）",
        since=date(2025, 12, 31),
        lenders=frozenset({LenderType.CONSUMER_FINANCE}),
        limit=Decimal("0.20"),
    ),
    ComplianceRule(
        rule_id="cost-cap-24-micro",
        check=RuleCheck.COST_CAP,
        severity=RuleSeverity.BLOCK,
        text_zh="小额贷款公司新发放贷款综合融资成本年化不得超过24%。",
        text_en="New loans of micro-lenders cost at most 24 % a year, all in.",
        source=_MICRO,
        since=date(2025, 12, 31),
        lenders=_MICRO_LENDERS,
        limit=_TWENTY_FOUR,
    ),
    ComplianceRule(
        rule_id="cost-path-4-lpr",
        check=RuleCheck.COST_CAP,
        severity=RuleSeverity.WARN,
        text_zh="小额贷款公司应逐步将综合融资成本降至一年期LPR的4倍以内。",
        text_en="Micro-lenders bring the all-in cost down to 4 times the one-year LPR.",
        source=_MICRO,
        since=date(2025, 12, 31),
        until=date(2027, 12, 30),
        lenders=_MICRO_LENDERS,
        lpr_multiple=Decimal(4),
    ),
    ComplianceRule(
        rule_id="cost-cap-4-lpr",
        check=RuleCheck.COST_CAP,
        severity=RuleSeverity.BLOCK,
        text_zh="小额贷款公司新发放贷款综合融资成本年化不得超过一年期LPR的4倍。",
        text_en="New loans of micro-lenders cost at most 4 times the one-year LPR, all in.",
        source=_MICRO,
        since=date(2027, 12, 31),
        lenders=_MICRO_LENDERS,
        lpr_multiple=Decimal(4),
    ),
    ComplianceRule(
        rule_id="partner-listed",
        check=RuleCheck.PARTNER_LISTED,
        severity=RuleSeverity.BLOCK,
        text_zh="向借款人收费的合作机构须当日在公布的合作机构名单内。",
        text_en="A partner that charges borrowers is on the published list of partners that day.",
        source=_ASSISTING,
        since=date(2025, 10, 1),
        lenders=_BANKS_AND_THEIRS,
    ),
    ComplianceRule(
        rule_id="opt-out",
        check=RuleCheck.OPT_OUT,
        severity=RuleSeverity.BLOCK,
        text_zh="商业性信息须写明便捷有效的拒收方式。",
        text_en="Marketing tells an easy way to refuse more of it.",
        source=f"{_SMS_RULES}；{_ADVERTISING}",
        since=date(2015, 6, 30),
    ),
    ComplianceRule(
        rule_id="signature",
        check=RuleCheck.SIGNATURE,
        severity=RuleSeverity.BLOCK,
        text_zh="短信以报备的签名开头，正文不得再用【】。",
        text_en="A text message begins with its filed signature; no other 【】 stand in it.",
        source=f"{_SMS_RULES}；短信签名报备要求（信管〔2023〕794号；据报道）",
        since=date(2015, 6, 30),
    ),
    ComplianceRule(
        rule_id="sender-named",
        check=RuleCheck.SENDER_NAMED,
        severity=RuleSeverity.WARN,
        text_zh="电子广告须明示发送者的真实身份和联系方式。",
        text_en="Electronic advertisements name their sender and how to reach it.",
        source=_ADVERTISING,
        since=date(2015, 9, 1),
    ),
    ComplianceRule(
        rule_id="no-offer-in-service",
        check=RuleCheck.NO_OFFER_IN_SERVICE,
        severity=RuleSeverity.BLOCK,
        text_zh="服务类和催收类信息不得夹带贷款营销。",
        text_en="Messages that only inform, or that collect, hold no offer of credit.",
        source="个人信息保护法 第十三、十四条；消费者权益保护法 第二十九条",
        since=date(2021, 11, 1),
    ),
    ComplianceRule(
        rule_id="minimum-age",
        check=RuleCheck.MINIMUM_AGE,
        severity=RuleSeverity.BLOCK,
        text_zh="不得向未满18周岁的人营销贷款。",
        text_en="No credit is offered to people under 18.",
        source="中华人民共和国民法典 第十七至十九条；中华人民共和国未成年人保护法",
        since=date(2021, 1, 1),
        limit=Decimal(18),
    ),
    ComplianceRule(
        rule_id="students",
        check=RuleCheck.STUDENTS,
        severity=RuleSeverity.BLOCK,
        text_zh="不得向在校大学生营销互联网消费贷款（客户档案注明为在校学生）。",
        text_en="No consumer credit is offered to students (as the customer record says).",
        source="关于进一步规范大学生互联网消费贷款监督管理工作的通知（2021年，五部门；据报道）",
        since=date(2021, 2, 24),
    ),
    ComplianceRule(
        rule_id="collection-hours",
        check=RuleCheck.COLLECTION_HOURS,
        severity=RuleSeverity.BLOCK,
        text_zh="每日22:00至次日8:00（对方当地时间）不得催收。",
        text_en="Nothing is collected from 22:00 to 08:00, by the clock of who is written to.",
        source=_COLLECTION,
        since=date(2026, 1, 30),
    ),
    ComplianceRule(
        rule_id="collection-tries",
        check=RuleCheck.COLLECTION_TRIES,
        severity=RuleSeverity.BLOCK,
        text_zh="对同一联系人，每日未获回应的催收不超过6次（各渠道合计）。",
        text_en="At most 6 unanswered tries a day and contact, over all channels.",
        source=_COLLECTION,
        since=date(2026, 1, 30),
        limit=Decimal(6),
    ),
    ComplianceRule(
        rule_id="collection-third-parties",
        check=RuleCheck.COLLECTION_THIRD_PARTIES,
        severity=RuleSeverity.BLOCK,
        text_zh="不得向与债务无关的第三人催收。",
        text_en="Nobody but the debtor is written to about a debt.",
        source=_COLLECTION,
        since=date(2026, 1, 30),
    ),
)


def rules_on(day: date, lender: LenderType) -> RulesInForce:
    """Return the shipped rules that bind a lender of this kind on a day."""
    return in_force(RULES, day=day, lender=lender, prime_rates=LOAN_PRIME_RATES)
