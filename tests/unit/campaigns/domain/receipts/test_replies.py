"""What a reply means: every refusal is at least read by somebody, no question is taken for one."""

import json
import time

import pytest

from campaigns.domain.receipts.replies import ReplyMeaning, meaning_of


@pytest.mark.parametrize(
    "text",
    [
        "R",
        "r",
        "Ｔ ",
        "TD",
        "td退订",
        "退订。",
        "退订",
        "拒收",
        "取消",
        "不要发",
        "N",
        "0000",
        "Stop!!",
        "STOP",
        "quit",
        "End.",
        "revoke",
        "opt out",
        "Opt-Out",
        "cancel",
        "unsubscribe",
        "“退订”",
        " 退 订 ",
        "退订退订",
        "Ｒ",
    ],
)
def test_words_of_refusal_stop_at_once(text):
    assert meaning_of(text) is ReplyMeaning.OPT_OUT


@pytest.mark.parametrize(
    "text",
    [
        "please stop texting",
        "别发了行不行",
        "再骚扰我就投诉",
        "不要再给我发短信",
        "remove me",
        "我要举报你们",
    ],
)
def test_what_sounds_like_a_refusal_is_for_a_person(text):
    assert meaning_of(text) is ReplyMeaning.REVIEW


@pytest.mark.parametrize(
    "text", ["", "好的", "1", "Y", "thanks", "谢谢", "多少利息", "retry", "0001", "friend"]
)
def test_other_replies_change_nothing(text):
    assert meaning_of(text) is ReplyMeaning.OTHER


def test_g1_refusals_in_common_words_are_refusals(shared_data):
    cases = json.loads((shared_data / "cases_doors" / "cases.json").read_text())["sms_replies"]
    read = {text: meaning_of(text) for text in cases["at_least_review"]}
    assert [text for text, meaning in read.items() if meaning is ReplyMeaning.OTHER] == []
    others = {text: meaning_of(text) for text in cases["other"]}
    assert set(others.values()) == {ReplyMeaning.OTHER}, others


@pytest.mark.parametrize("text", ["回复R", "退定", "取消订阅", "请勿再发", "別再發了", "回TD"])
def test_g1_a_reply_of_nothing_but_refusal_stops_at_once(text):
    assert meaning_of(text) is ReplyMeaning.OPT_OUT


@pytest.mark.parametrize("text", ["不需要", "不是本人", "don't text me", "发错人了", "不"])
def test_g1_what_may_be_a_refusal_waits_for_a_person(text):
    assert meaning_of(text) is ReplyMeaning.REVIEW


@pytest.mark.parametrize("text", ["什么时候到账", "我了解了", "别忘了还款日", "weekend", "收到"])
def test_g1_questions_and_thanks_are_no_refusals(text):
    assert meaning_of(text) is ReplyMeaning.OTHER


@pytest.mark.parametrize(
    "text",
    [
        *("TDTD", "td td", "TD1", "TD 01", "T1", "N N", "RR", "tuiding", "T订", "退町", "推订"),
        *("撤回同意", "收回授权", "取消授权", "终止", "终止。", "停发", "取關", "谢谢，退订"),
        *("STPO", "St0p", "unsuscribe", "unsubcribe", "stop stop stop", "cease and desist"),
        *("withdraw consent", "I withdraw my consent", "Revoke my consent"),
    ],
)
def test_g1_clear_refusals_stop_at_once(text):
    assert meaning_of(text) is ReplyMeaning.OPT_OUT


@pytest.mark.parametrize(
    "text",
    [
        *(
            "no thanks",
            "No thank you",
            "No no no",
            "nothanks",
            "not now",
            "enough",
            "enough already",
        ),
        *("take me off your list", "off list", "lose my number", "dont txt me", "block", "blocked"),
        *("I do not consent", "withdraw", "no mas", "wrong no.", "he passed away", "deceased"),
        *("my father is dead", "I'm a minor", "I will sue", "I'll sue you", "unfollow", "shut up"),
        *("谢绝", "谢绝推销", "屏蔽", "已屏蔽你们", "结束", "退出", "关闭", "解除", "撤销", "撤回"),
        *("不同意", "我不同意", "没有需求", "没需求", "没有需要", "没有兴趣", "无兴趣", "暂无兴趣"),
        *(
            "无需",
            "无需，谢谢",
            "不必了",
            "免了",
            "不考虑",
            "暂不考虑",
            "不贷款",
            "我不贷了",
            "不借钱",
        ),
        *(
            "不办",
            "不办理",
            "不做贷款",
            "够了",
            "放过我",
            "求放过吧",
            "有完没完",
            "怎么还发",
            "扰民",
        ),
        *("律师", "我让律师找你", "我要告你们", "再发告你", "打12321", "12315见", "為什麼還發給我"),
        *("机主已过世", "機主已過世", "人已去世", "已故", "未成年", "我是未成年人"),
        *("🛑", "👎", "❌", "❌❌", "别发👎", "0", "00", "r退", "N1", "不不不", "不了，谢谢"),
        *("請勿打擾", "我們不同意", "沒興趣", "不辦"),
    ],
)
def test_g1_whatever_may_refuse_is_read_by_somebody(text):
    assert meaning_of(text) is not ReplyMeaning.OTHER


@pytest.mark.parametrize(
    "text",
    [
        *(
            "合同终止日期是哪天",
            "我考虑一下",
            "你们考虑不考虑降息",
            "活动什么时候结束",
            "怎么退出登录",
        ),
        *(
            "怎么关闭自动扣款",
            "怎么解除绑定",
            "怎么撤销申请",
            "撤回申请要多久",
            "无需抵押吗",
            "额度够了吗",
        ),
        *(
            "利息免了吗",
            "要不要手续费",
            "需不需要抵押",
            "收不收违约金",
            "用不用担保",
            "麻烦问一下利率",
        ),
        *(
            "还发放贷款吗",
            "怎么还发放不下来",
            "什么时候发放",
            "你们放过款给我吗",
            "我是律师可以贷吗",
        ),
        *(
            "怎么办理",
            "办不办都可以吗",
            "短信被屏蔽了怎么看验证码",
            "我的号码是13812321000",
            "同意",
        ),
        *("我同意授权", "报告你们收到了吗", "转告你们经理", "还有别的产品吗", "特别好", "T1航站楼"),
        *(
            "how do I withdraw the money",
            "is my salary enough",
            "blockchain",
            "no problem",
            "noted",
        ),
        *("will you issue your contract", "what is this deadline", "under 1800 yuan", "knock"),
        *("why was it not accepted", "is this a minor issue", "the agreement", "北京 100000", "👍"),
        *("1❌2✅", "10086", "td account", "note", "weekend trip", "now", "thanks please call"),
    ],
)
def test_g1_ordinary_sentences_with_the_same_characters_are_no_refusals(text):
    assert meaning_of(text) is ReplyMeaning.OTHER


@pytest.mark.parametrize("length", [600, 1_500, 100_000])
def test_g1_a_refusal_at_the_end_of_a_long_reply_is_seen(length):
    assert meaning_of("好" * length + "退订") is ReplyMeaning.REVIEW


@pytest.mark.parametrize(
    "part", ["不", "no", "我", "没有", "请", "退", "td", "withdrawmy", "要告", "ﷺ"]
)
def test_g1_no_reply_takes_long_to_read(part):
    started = time.process_time()
    meaning_of(part * 100_000 + "!")
    assert time.process_time() - started < 1
