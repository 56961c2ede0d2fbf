"""Occupation, education and marital status in words: the codes that files commonly bring.

What is not listed is read as the source wrote it. The English codes are those of the demo's people
and of the UCI data set "Bank Marketing" (Moro, Cortez and Rita, 2014), which many tools export.
"""

from collections.abc import Mapping

from customers.domain.fields.catalogue import Text

OCCUPATIONS: Mapping[str, Text] = {
    "factory_worker": Text("工厂工人", "factory worker"),
    "service_worker": Text("服务业员工", "service worker"),
    "office_worker": Text("办公室职员", "office worker"),
    "engineer": Text("工程师", "engineer"),
    "self_employed": Text("个体经营", "self-employed"),
    "driver": Text("司机", "driver"),
    "teacher": Text("教师", "teacher"),
    "medical": Text("医护人员", "medical staff"),
    "civil_servant": Text("公务员", "civil servant"),
    "student": Text("学生", "student"),
    "retired": Text("退休", "retired"),
    "admin.": Text("行政人员", "administration"),
    "blue-collar": Text("蓝领工人", "blue-collar worker"),
    "entrepreneur": Text("企业主", "entrepreneur"),
    "housemaid": Text("家政人员", "domestic worker"),
    "management": Text("管理人员", "management"),
    "self-employed": Text("个体经营", "self-employed"),
    "services": Text("服务业", "services"),
    "technician": Text("技术人员", "technician"),
    "unemployed": Text("待业", "unemployed"),
    "unknown": Text("未知", "unknown"),
}
EDUCATIONS: Mapping[str, Text] = {
    "junior_secondary": Text("初中", "junior secondary school"),
    "senior_secondary": Text("高中", "senior secondary school"),
    "college": Text("大专", "college"),
    "bachelor": Text("本科", "bachelor's degree"),
    "postgraduate": Text("研究生", "postgraduate degree"),
    "primary": Text("小学", "primary school"),
    "secondary": Text("中学", "secondary school"),
    "tertiary": Text("高等教育", "higher education"),
    "basic.4y": Text("小学", "four years of school"),
    "basic.6y": Text("小学", "six years of school"),
    "basic.9y": Text("初中", "nine years of school"),
    "high.school": Text("高中", "high school"),
    "illiterate": Text("未受教育", "no schooling"),
    "professional.course": Text("职业教育", "vocational training"),
    "university.degree": Text("大学", "university degree"),
    "unknown": Text("未知", "unknown"),
}
MARITAL_STATES: Mapping[str, Text] = {
    "single": Text("未婚", "single"),
    "married": Text("已婚", "married"),
    "divorced": Text("离异", "divorced"),
    "widowed": Text("丧偶", "widowed"),
    "unknown": Text("未知", "unknown"),
}
