"""Where the people of the demo live: provinces and cities in proportion to their inhabitants."""

from dataclasses import dataclass
from itertools import accumulate
from random import Random

from customers.domain.values.national_id import PROVINCES


@dataclass(frozen=True, slots=True)
class DemoCity:
    """One city; `province_code` is the two-digit prefix of GB/T 2260."""

    province_code: str
    province: str
    city: str
    income_factor: float


# Province code, city, weight (hundred thousand inhabitants, census of 2020, rounded), and
# average disposable income relative to the country (National Bureau of Statistics, 2023, rounded).
_TABLE = """
11 北京 219 2.1
12 天津 139 1.4
13 石家庄 112 1.0
13 唐山 77 1.0
14 太原 53 1.0
15 呼和浩特 34 1.0
21 沈阳 91 1.1
21 大连 75 1.2
22 长春 91 1.0
23 哈尔滨 100 0.9
31 上海 249 2.2
32 南京 93 1.7
32 苏州 127 1.8
32 无锡 75 1.6
32 徐州 91 0.9
33 杭州 119 1.8
33 宁波 94 1.8
33 温州 96 1.5
34 合肥 94 1.3
34 阜阳 82 0.7
35 福州 83 1.3
35 泉州 88 1.3
35 厦门 52 1.7
36 南昌 63 1.2
36 赣州 90 0.8
37 济南 92 1.3
37 青岛 101 1.4
37 临沂 110 0.8
41 郑州 126 1.1
41 南阳 97 0.7
41 洛阳 71 0.9
42 武汉 123 1.4
42 宜昌 40 1.0
43 长沙 100 1.5
43 衡阳 66 0.9
44 广州 187 1.8
44 深圳 176 2.0
44 东莞 105 1.5
44 佛山 95 1.6
44 湛江 70 0.8
45 南宁 87 0.9
46 海口 29 1.0
50 重庆 320 1.0
51 成都 209 1.3
51 绵阳 49 0.9
52 贵阳 60 1.0
53 昆明 85 1.0
61 西安 130 1.1
62 兰州 44 0.9
63 西宁 25 0.8
64 银川 29 0.9
65 乌鲁木齐 41 1.0
"""


def _parse(table: str) -> tuple[tuple[DemoCity, ...], tuple[int, ...]]:
    rows = [line.split() for line in table.strip().splitlines()]
    places = tuple(
        DemoCity(code, PROVINCES[code], city, float(factor)) for code, city, _, factor in rows
    )
    return places, tuple(accumulate(int(row[2]) for row in rows))


PLACES, _CUMULATIVE = _parse(_TABLE)


def draw_place(rng: Random) -> DemoCity:
    """Draw a city in proportion to its inhabitants."""
    return rng.choices(PLACES, cum_weights=_CUMULATIVE)[0]
