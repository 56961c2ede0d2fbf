"""Names, e-mail addresses, telephone numbers and identity numbers of people who do not exist."""

from dataclasses import dataclass
from datetime import date
from itertools import accumulate
from random import Random

from customers.domain.values.national_id import check_digit

# Share of the population in per mille, rounded, and the spelling used in e-mail addresses.
# Source: Ministry of Public Security, Report on names in China 2020 (commonest surnames).
_SURNAMES = """
王 wang 725 李 li 719 张 zhang 683 刘 liu 538 陈 chen 457 杨 yang 329 黄 huang 240 赵 zhao 227
吴 wu 205 周 zhou 190 徐 xu 145 孙 sun 139 马 ma 129 朱 zhu 128 胡 hu 117 郭 guo 116 何 he 113
林 lin 112 罗 luo 102 高 gao 101 郑 zheng 94 梁 liang 92 谢 xie 74 宋 song 73 唐 tang 68 许 xu 66
韩 han 65 邓 deng 64 冯 feng 63 曹 cao 62 彭 peng 61 曾 zeng 58 肖 xiao 56 田 tian 55 董 dong 54
潘 pan 52 袁 yuan 51 蔡 cai 50 蒋 jiang 50 余 yu 48 于 yu 47 杜 du 46 叶 ye 46 程 cheng 45
魏 wei 44 苏 su 44 吕 lv 44 丁 ding 43 任 ren 42 卢 lu 41 姚 yao 39 沈 shen 39 钟 zhong 38
姜 jiang 38 崔 cui 37 谭 tan 37 陆 lu 36 范 fan 35 汪 wang 35 廖 liao 34 石 shi 34 金 jin 33
韦 wei 31 贾 jia 30 夏 xia 30 付 fu 29 方 fang 29 邹 zou 28 熊 xiong 27 白 bai 27 孟 meng 26
秦 qin 26 邱 qiu 25 侯 hou 25 江 jiang 24 尹 yin 24 薛 xue 23 闫 yan 22 段 duan 22 雷 lei 21
龙 long 20 黎 li 20 史 shi 19 陶 tao 19 贺 he 18 毛 mao 18 郝 hao 17 顾 gu 17 龚 gong 17
邵 shao 16 万 wan 16 覃 qin 15 武 wu 15 欧阳 ouyang 9 上官 shangguan 2 司马 sima 2
"""
_MALE_GIVEN = """
伟 wei 强 qiang 磊 lei 军 jun 勇 yong 杰 jie 涛 tao 超 chao 明 ming 刚 gang 平 ping 辉 hui 鹏 peng
华 hua 飞 fei 鑫 xin 波 bo 斌 bin 宇 yu 浩 hao 凯 kai 健 jian 俊 jun 帆 fan 帅 shuai 旭 xu 宁 ning
龙 long 林 lin 阳 yang 建华 jianhua 建国 jianguo 建军 jianjun 志强 zhiqiang 志伟 zhiwei 海波 haibo
文杰 wenjie 俊杰 junjie 浩然 haoran 子轩 zixuan 宇航 yuhang 浩宇 haoyu 明轩 mingxuan 天佑 tianyou
一鸣 yiming 博文 bowen 晓东 xiaodong 家豪 jiahao 梓豪 zihao 国强 guoqiang 永强 yongqiang
春生 chunsheng 德明 deming 学文 xuewen 承志 chengzhi 立新 lixin
"""
_FEMALE_GIVEN = """
芳 fang 娜 na 敏 min 静 jing 丽 li 艳 yan 娟 juan 霞 xia 燕 yan 玲 ling 丹 dan 萍 ping 红 hong
玉 yu 婷 ting 雪 xue 梅 mei 琳 lin 倩 qian 颖 ying 洁 jie 慧 hui 莉 li 佳 jia 蕾 lei 薇 wei 璐 lu
晶 jing 岚 lan 悦 yue 秀英 xiuying 桂英 guiying 秀兰 xiulan 玉兰 yulan 海燕 haiyan 丽娟 lijuan
春梅 chunmei 晓燕 xiaoyan 雪梅 xuemei 雨涵 yuhan 诗涵 shihan 梓涵 zihan 欣怡 xinyi 子涵 zihan
思雨 siyu 佳怡 jiayi 雅婷 yating 梦洁 mengjie 若曦 ruoxi 语嫣 yuyan 美玲 meiling 淑珍 shuzhen
晓雯 xiaowen 静怡 jingyi 婉清 wanqing 可欣 kexin
"""
# Reserved for documentation by RFC 2606: nothing sent there reaches anybody.
EMAIL_DOMAINS = ("example.com", "example.net", "example.org")
_MOBILE_PREFIXES = tuple(
    f"{group}{digit}"
    for group, digits in (
        ("13", "012356789"),
        ("15", "012356789"),
        ("17", "3678"),
        ("18", "01235678"),
        ("19", "89"),
    )
    for digit in digits
)
_NUMBERS_PER_PREFIX = 10_000


@dataclass(frozen=True, slots=True)
class FullName:
    """A Chinese name and its spelling in Latin letters."""

    text: str
    spelling: str


@dataclass(frozen=True, slots=True)
class _Weighted:
    items: tuple[tuple[str, str], ...]
    cumulative: tuple[int, ...] | None = None

    def draw(self, rng: Random) -> tuple[str, str]:
        if self.cumulative is None:
            return rng.choice(self.items)
        return rng.choices(self.items, cum_weights=self.cumulative)[0]


def _weighted(table: str) -> _Weighted:
    words = table.split()
    pairs = tuple(zip(words[::3], words[1::3], strict=True))
    return _Weighted(pairs, tuple(accumulate(int(word) for word in words[2::3])))


def _even(table: str) -> _Weighted:
    words = table.split()
    return _Weighted(tuple(zip(words[::2], words[1::2], strict=True)))


SURNAMES = _weighted(_SURNAMES)
MALE_GIVEN = _even(_MALE_GIVEN)
FEMALE_GIVEN = _even(_FEMALE_GIVEN)


def draw_name(rng: Random, *, female: bool) -> FullName:
    """Draw a surname by its real share and a given name that fits the gender."""
    surname, surname_spelling = SURNAMES.draw(rng)
    given, given_spelling = (FEMALE_GIVEN if female else MALE_GIVEN).draw(rng)
    return FullName(surname + given, f"{surname_spelling}.{given_spelling}")


def mobile_number(serial: int) -> str:
    """Return the E.164 mobile number of one serial; different serials never share a number.

    Every number has the exchange 0000, 0001, …, which makes it recognisable as made up, under a
    prefix that Chinese operators really use.
    """
    prefix = _MOBILE_PREFIXES[serial % len(_MOBILE_PREFIXES)]
    exchange, line = divmod(serial // len(_MOBILE_PREFIXES), _NUMBERS_PER_PREFIX)
    # A step coprime to 10,000 spreads neighbouring serials over the range.
    return f"+86{prefix}{exchange:04d}{line * 7919 % _NUMBERS_PER_PREFIX:04d}"


def email_address(spelling: str, serial: int) -> str:
    """Return an address that is unique for the serial, at a domain reserved for documentation."""
    return f"{spelling}{serial}@{EMAIL_DOMAINS[serial % len(EMAIL_DOMAINS)]}"


def national_id(*, province_code: str, born_on: date, serial: int, female: bool) -> str:
    """Return an identity number with a valid check character that nobody can hold.

    The region is the province itself (`440000`): real numbers carry the code of a county. The
    sequence digit before the check character is even for women. At most 500 a day of birth,
    province and gender are distinct.
    """
    sequence = (serial % 500) * 2 + (0 if female else 1)
    body = f"{province_code}0000{born_on:%Y%m%d}{sequence:03d}"
    return body + check_digit(body)
