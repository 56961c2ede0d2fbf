"""Where the people of the demo live: provinces and cities in proportion to their inhabitants."""

from dataclasses import dataclass
from itertools import accumulate
from random import Random


@dataclass(frozen=True, slots=True)
class Place:
    """One city; `province_code` is the two-digit prefix of GB/T 2260."""

    province_code: str
    province: str
    city: str
    income_factor: float


# Province code, province, city, weight (hundred thousand inhabitants, census of 2020, rounded), and
# average disposable income relative to the country (National Bureau of Statistics, 2023, rounded).
_TABLE = """
11 北京市 北京市 219 2.1
12 天津市 天津市 139 1.4
13 河北省 石家庄市 112 1.0
13 河北省 唐山市 77 1.0
14 山西省 太原市 53 1.0
15 内蒙古自治区 呼和浩特市 34 1.0
21 辽宁省 沈阳市 91 1.1
21 辽宁省 大连市 75 1.2
22 吉林省 长春市 91 1.0
23 黑龙江省 哈尔滨市 100 0.9
31 上海市 上海市 249 2.2
32 江苏省 南京市 93 1.7
32 江苏省 苏州市 127 1.8
32 江苏省 无锡市 75 1.6
32 江苏省 徐州市 91 0.9
33 浙江省 杭州市 119 1.8
33 浙江省 宁波市 94 1.8
33 浙江省 温州市 96 1.5
34 安徽省 合肥市 94 1.3
34 安徽省 阜阳市 82 0.7
35 福建省 福州市 83 1.3
35 福建省 泉州市 88 1.3
35 福建省 厦门市 52 1.7
36 江西省 南昌市 63 1.2
36 江西省 赣州市 90 0.8
37 山东省 济南市 92 1.3
37 山东省 青岛市 101 1.4
37 山东省 临沂市 110 0.8
41 河南省 郑州市 126 1.1
41 河南省 南阳市 97 0.7
41 河南省 洛阳市 71 0.9
42 湖北省 武汉市 123 1.4
42 湖北省 宜昌市 40 1.0
43 湖南省 长沙市 100 1.5
43 湖南省 衡阳市 66 0.9
44 广东省 广州市 187 1.8
44 广东省 深圳市 176 2.0
44 广东省 东莞市 105 1.5
44 广东省 佛山市 95 1.6
44 广东省 湛江市 70 0.8
45 广西壮族自治区 南宁市 87 0.9
46 海南省 海口市 29 1.0
50 重庆市 重庆市 320 1.0
51 四川省 成都市 209 1.3
51 四川省 绵阳市 49 0.9
52 贵州省 贵阳市 60 1.0
53 云南省 昆明市 85 1.0
61 陕西省 西安市 130 1.1
62 甘肃省 兰州市 44 0.9
63 青海省 西宁市 25 0.8
64 宁夏回族自治区 银川市 29 0.9
65 新疆维吾尔自治区 乌鲁木齐市 41 1.0
"""


def _parse(table: str) -> tuple[tuple[Place, ...], tuple[int, ...]]:
    rows = [line.split() for line in table.strip().splitlines()]
    places = tuple(
        Place(code, province, city, float(factor)) for code, province, city, _, factor in rows
    )
    return places, tuple(accumulate(int(row[3]) for row in rows))


PLACES, _CUMULATIVE = _parse(_TABLE)


def draw_place(rng: Random) -> Place:
    """Draw a city in proportion to its inhabitants."""
    return rng.choices(PLACES, cum_weights=_CUMULATIVE)[0]
