"""Words that must not, or should not, stand in an offer of credit: data, to change with the rules.

Sources: reports of the 金融产品网络营销管理办法 (in force 2026-09-30) quote the first four; a
third-party checker cites its article 10(7) for the second list. The official text was not at hand,
so the second list only warns.
"""

BLOCKED = ("低风险", "低门槛", "秒到账", "高收益")
WARNED = (
    "低利率",
    "无成本",
    "保本",
    "零风险",
    "限时抢购",
    "秒杀",
    "无视征信",
    "黑户",
    "百分百通过",
)

# The same words in pinyin without tones, for those who write around the list.
PINYIN = {
    "difengxian": "低风险",
    "dimenkan": "低门槛",
    "miaodaozhang": "秒到账",
    "gaoshouyi": "高收益",
}

# Traditional forms and look-alikes of the characters above, each to the one in the list.
VARIANTS = {
    "門": "门",
    "槛": "槛",
    "檻": "槛",
    "坎": "槛",
    "風": "风",
    "險": "险",
    "賬": "账",
    "帳": "账",
    "帐": "账",
    "収": "收",
    "無": "无",
    "視": "视",
    "徵": "征",
    "黑戶": "黑户",
    "戶": "户",
    "搶": "抢",
    "購": "购",
    "時": "时",
    "過": "过",
    "殺": "杀",
    "氐": "低",
    "〇": "零",
    "0": "零",
}
