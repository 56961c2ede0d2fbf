"""How people write around a list of words; the words themselves are in the rulebook."""

# Listed words in pinyin without tones.
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
