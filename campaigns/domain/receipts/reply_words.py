"""Words by which a reply is read as a refusal: data, to change freely.

Sources: 47 CFR 64.1200(a)(10) for the words that always revoke (stop, quit, end, revoke, opt out,
cancel, unsubscribe); the MIIT's rules on short message services (2015) and carriers' practice for
R, T, TD, N and the Chinese words; complaints that people publish about marketing by SMS.

Latin words stand without blanks and in lower case, Chinese ones in simplified characters, as
`replies` brings a reply to that form. What is called a pattern is a regular expression; everything
else is plain words with blanks between them.
"""

# Codes that gateways tell people to answer with; a digit behind one is the gateway's route.
CODES = "td t r n qx 0000"
ROUTED_CODES = "td t qx"
# Mistakes made in 退订, and how it is written by who has no Chinese keyboard.
MISSPELT = (
    "退町 退丁 退钉 退盯 退顶 腿订 推订 退汀 tuiding tuidin tui订 退ding td订 t订 "
    "unsuscribe unsubcribe unsubscibe unsubscrib unsubscribed unsubsribe unsuscribed "
    "stpo sotp stoop stopp st0p 5top"
)

# A whole reply made of nothing but such words is a refusal: at least one that refuses, others
# around it.
REFUSING = (
    "退订 退定 退阅 拒收 拒绝 取消 停止 禁止 不想再 不要 不再 别 勿 终止 停发 取关 "
    "撤回同意 撤回授权 撤销同意 撤销授权 收回同意 收回授权 取消同意 取消授权 终止同意 终止授权"
)
AROUND = (
    "请你们 请你 请 麻烦 我要 我想 要 以后 再发 再 发短信 发信息 发消息 发送 发了 发 接收 订阅 "
    "收到 打扰 骚扰 短信 信息 消息 推送 了 啦 吧 谢谢"
)
ENGLISH_REFUSING = (
    "stop stopall stopit stopsms quit end revoke optout optmeout cancel unsub unsubscribe "
    "unsubscribeme cease desist ceaseanddesist withdrawconsent withdrawmyconsent revokeconsent "
    "revokemyconsent"
)
ENGLISH_BEFORE = "please i"
ENGLISH_AFTER = "please now thanks thankyou"

# Curt answers that may be a no, alone or with what people say before and after it; in a longer
# text the same characters mean something else (合同终止日期是哪天, 我考虑一下).
CURT = (
    "不 否 不行 算了 退 停 退掉 退出 结束 关闭 解除 撤销 撤回 屏蔽 暂停 够了 免 免谈 不必 无需 "
    "不同意 不愿意 不可以 没有需要 没需要 律师 "
    "no nope nah off out cease desist withdraw enough enoughalready thatsenough enoughisenough "
    "blocked notnow notanymore getlost shutup nomas"
)
CURT_BEFORE = (
    "我们 我 本人 你好 您好 暂时 目前 现在 已经 已 真的 都 先 暂 也 就 那 哦 嗯 请 "
    "sorry im i please"
)
CURT_AFTER = (
    "了 啦 吧 啊 哈 呢 的 哦 噢 谢谢 谢 多谢 感谢 再见 你们 贷款 借款 "
    "thanks thankyou thx tks ty please now sir"
)
# Answers of this form are as curt, whatever verb they deny.
CURT_PATTERNS = (
    # One code or letter too many, or a digit that stands for no.
    r"[trn]退",
    r"[rn]\d{1,2}",
    r"0+",
    # "No need", said of what was offered.
    r"不(?:再)?(?:打算|准备)?(?:贷|借|办|做)(?:理|款|钱|贷款|借款|业务)?",
    # "No thanks" in all its lengths.
    r"no(?:no|thanks|thankyou|thx|tks|ty|way|need|please|sir)*",
    r"(?:(?:will|gonna|going)to?)?(?:block|blocking)(?:ed)?(?:you|this|thisnumber|number|u)*",
)

# Wherever they stand, somebody should read the reply.
DOUBTFUL = (
    "退订 退定 退阅 拒 取消 停止 停发 不再 不感兴趣 没兴趣 不准 不许 禁止 谢绝 别发 别再 别给 别来 "
    "别打 勿 骚扰 打扰 扰民 投诉 举报 起诉 报警 垃圾 诈骗 骗子 拉黑 黑名单 删除 移除 注销 取关 "
    "不是本人 非本人 不是我 打错 发错 错号 换号 滚 闭嘴 有完没完 去世 过世 已故 逝世 不在世 病故 "
    "未成年 工信部 银保监 消协 "
    "stop unsub optout optedout remove delete spam scam fraud complain nomore cancel quit revoke "
    "notinterested notwant leavemealone goaway takemeoff takeusoff offyourlist offthelist offlist "
    "losemynumber unfollow cease desist notme fuck lawyer harass passedaway hasdied"
)
DOUBTFUL_PATTERNS = (
    # Not in 要不要, 需不需要, 收不收: questions; nor in 麻烦.
    r"(?<!要)不要|(?<!需)不需|(?<!用)不用|(?<!想)不想|(?<!接)不接|(?<!收)不收|(?<!麻)烦",
    r"终止(?:发|推|短信|信息|服务|营销|联系|合作)",
    r"(?<!被)屏蔽(?:你|了|掉|此|该)|(?:已|要|给你|把你)屏蔽",
    # Not in 考虑不考虑, a question.
    r"(?<!考虑)不考虑",
    r"(?:没有|没|无)(?:此|这个|这种|贷款|借款|资金)*(?:需求|兴趣)",
    r"(?:没有|没|无)(?:贷款|借款)(?:的)?需要",
    r"我(?:们)?不同意|(?:撤回|撤销|收回|终止)(?:\w{0,4})(?:同意|授权)",
    # Not 告诉你, 转告你们, 报告你们.
    r"(?:要|会|去|再发|就|小心)告你|(?<![广转报劝])告(?:你们|死你|到底)|^告你",
    r"(?:找|请|叫|问|让|我的|咨询)律师|律师(?:函|信|见|联系|会|告|找|来|起诉)",
    # Not 放过款, having paid out.
    r"放过(?:我|吧|俺|人|$)|求放过",
    # Where people complain: consumers' protection, the regulators of telecoms and of banks.
    r"(?<!\d)(?:12315|12321|12378|12300|12363|12381)(?!\d)",
    # Not 还发放, the paying out of a loan.
    r"(?:怎么|为什么|为何|为啥|干嘛|咋)(?:还|又|老|总|一直|天天)(?:是|在|给我)*发(?!放|不)|还发$",
    (
        r"(?:dont|donot|doesnot|never|nolonger|no)(?:ever|want|need|like|send|text|txt|sms|msg|"
        r"message|contact|call|email|write|bother|disturb|interest|consent)"
    ),
    r"(?:dont|donot)(?:agree|accept|give(?:you)?(?:my)?consent)|notconsent",
    r"withdraw(?:my|the|all|any)*(?:consent|permission|authori[sz]ation)",
    r"wrong(?:number|person|guy|man|recipient)|wrongn(?:o|um)$",
    # Not "issue you", "this deadline", "power of attorney".
    r"report(?:you|this)|(?:will|gonna|goingto|ill)sue|(?<!is)sueyou|(?<!powerof)attorney",
    r"deceased|isdead(?!l)|underage(?!n)|under18(?!\d)|(?:iam|im|heis|sheis)(?:a|still)*minor$",
)
# Signs that refuse by themselves wherever they stand, and those that do where nothing else stands.
REFUSING_SIGNS = "🛑🚫⛔👎🖕🙅📵🚷"
REFUSING_SIGNS_ALONE = "❌❎✖✗✘✕×✋🤚🤬😡😠💩"

# Reading the traditional forms needs only the characters that these words are written with.
TRADITIONAL = (
    "別訂絕發請給煩舉報警擾騷閱擊騙詐號簡訊機關閉註銷黑單準許錯終"
    "結無興貸辦夠過撤謝還為這沒師監會協頂釘銀麼們"
)
SIMPLIFIED = (
    "别订绝发请给烦举报警扰骚阅击骗诈号简讯机关闭注销黑单准许错终"
    "结无兴贷办够过撤谢还为这没师监会协顶钉银么们"
)
