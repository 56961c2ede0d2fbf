"""Codes, words and thresholds by which a provider's refusal is understood: data, to change freely.

Sources: RFC 3463 and the IANA registry of enhanced status codes; the refusals that QQ, 163, Sina,
Aliyun, Gmail, Yahoo and Outlook publish for their mail servers; error codes of the SMS interfaces
of Aliyun and Tencent Cloud. Words and codes of SMS gateways are compared in lower case.
"""

# The mailbox does not exist or is closed for good, whatever the words say.
DEAD_STATUS = frozenset({"5.1.1", "5.1.2", "5.1.3", "5.1.6", "5.1.10", "5.2.1", "5.4.4"})
# The mailbox is there and cannot take mail now.
SOFT_STATUS = frozenset({"4.2.1", "4.2.2", "5.2.2", "5.2.0"})
# About the server or the connection: the message was not looked at.
BUSY_STATUS_PREFIXES = ("4.3.", "4.4.5", "4.5.3", "4.7.28")
# Replies without an enhanced status that speak of the server or the account alone.
BUSY_REPLIES = frozenset({"421"})
LOGIN_REPLIES = frozenset({"530", "534", "535", "538"})
LOGIN_STATUS = frozenset({"5.7.0", "5.7.8", "5.7.9", "5.7.11"})

# Who sends, from where and what is sent: these words never blame an address.
SENDER_WORDS = (
    "policy",
    "spam",
    "blacklist",
    "blocklist",
    "blocked",
    "black list",
    "block list",
    "reputation",
    "frequency",
    "relay access denied",
    "relaying denied",
    "unable to relay",
    "not permitted to relay",
    "sender address",
    "sender rejected",
    "invalid sender",
    "return path",
    "mail from",
    "helo",
    "ehlo",
    "client host",
    "reverse dns",
    "ptr record",
    "spf",
    "dkim",
    "dmarc",
    "content denied",
    "content rejected",
    "connection denied",
    "suspected",
    "authentication",
    "拒绝发信",
    "发信人",
    "发件人",
    "垃圾",
    "黑名单",
    "频率",
    "策略",
)
# The mailbox is not there.
DEAD_WORDS = (
    "user unknown",
    "unknown user",
    "user not found",
    "user not exist",
    "user does not exist",
    "user doesn't exist",
    "user doesn't have",
    "no such user",
    "no such recipient",
    "no such mailbox",
    "no such account",
    "no such address",
    "no mailbox here",
    "no mailbox by that name",
    "invalid user",
    "invalid mailbox",
    "invalid recipient",
    "invalid address",
    "unknown recipient",
    "unknown mailbox",
    "unknown address",
    "unknown local",
    "unrouteable address",
    "unroutable address",
    "recipient unknown",
    "recipient not found",
    "recipient not exist",
    "recipient does not exist",
    "recipient address rejected",
    "mailbox not found",
    "mailbox not exist",
    "mailbox does not exist",
    "mailbox unavailable",
    "mailbox is disabled",
    "mailbox disabled",
    "mailbox is inactive",
    "account does not exist",
    "account not found",
    "account disabled",
    "account is disabled",
    "account has been disabled",
    "account that you tried to reach does not exist",
    "account that you tried to reach is disabled",
    "address does not exist",
    "address not found",
    "address unknown",
    "not a valid recipient",
    "not a valid mailbox",
    "not our customer",
    "domain not found",
    "domain may not exist",
    "host or domain name not found",
    "user suspended",
    "user is locked",
    "user locked",
    "不存在",
    "无此用户",
    "无效用户",
    "无效的收件人",
    "用户已注销",
    "用户被锁定",
    "帐号已停用",
    "账号已停用",
    "邮箱已停用",
)
# The mailbox cannot take mail now.
SOFT_WORDS = (
    "mailbox full",
    "mailbox is full",
    "inbox is full",
    "out of storage",
    "over quota",
    "overquota",
    "quota exceeded",
    "exceeded its quota",
    "exceeds quota",
    "exceed storage",
    "insufficient mailbox",
    "temporarily disabled",
    "temporarily inactive",
    "邮箱已满",
    "空间不足",
    "容量已满",
    "超出配额",
)
# The server or the account is asked too much; it takes mail again by itself.
BUSY_WORDS = (
    "too many connections",
    "too many messages",
    "too many requests",
    "too many mails",
    "too much mail",
    "rate limit",
    "rate-limit",
    "throttl",
    "unusual rate",
    "service not available",
    "service unavailable",
    "server busy",
    "system busy",
    "too busy",
    "system storage",
    "超出限制",
    "系统繁忙",
)

# Codes of SMS gateways: the number cannot be reached, ever.
DEAD_NUMBER_CODES = frozenset(
    {
        "number_invalid",
        "address_invalid",
        "isv.mobile_number_illegal",
        "invalidparametervalue.incorrectphonenumber",
    }
)
# The account waits: nothing is wrong with the message.
BUSY_CODES = frozenset(
    {
        "busy",
        "rate_limited",
        "throttled",
        "too_many_requests",
        "queue_full",
        "flow_control",
        "http_429",
        "http_503",
        "throttling",
        "throttling.user",
        "isp.system_error",
        "isv.business_limit_control",
        "limitexceeded.appglobaldailylimit",
        "requestlimitexceeded",
    }
)
# The account, its sender or its money is refused; a person has to act.
ACCOUNT_CODES = frozenset(
    {
        "account_suspended",
        "account_disabled",
        "account_locked",
        "account_blocked",
        "account_expired",
        "balance_exhausted",
        "insufficient_balance",
        "insufficient_funds",
        "out_of_credit",
        "payment_required",
        "unauthorized",
        "forbidden",
        "authentication_failed",
        "signature_not_approved",
        "isv.account_not_exists",
        "isv.account_abnormal",
        "isv.amount_not_enough",
        "isv.out_of_service",
        "isv.product_un_subscript",
        "isv.product_unsubscribe",
        "isv.sms_signature_illegal",
        "isp.ram_permission_deny",
        "signaturedoesnotmatch",
        "invalidaccesskeyid.notfound",
        "failedoperation.insufficientbalanceinsmspackage",
        "failedoperation.signatureincorrectorunapproved",
        "unauthorizedoperation.sdkappidisdisabled",
        "unauthorizedoperation.servicesuspendduetoarrears",
    }
)
# What a gateway may write instead of a code, in an answer that refuses everything.
ACCOUNT_WORDS = (
    "account is suspended",
    "account suspended",
    "account disabled",
    "account is disabled",
    "account locked",
    "insufficient balance",
    "balance is insufficient",
    "balance not enough",
    "out of credit",
    "unauthorized",
    "forbidden",
    "余额不足",
    "欠费",
    "账号已停用",
    "账户已停用",
    "账号被锁定",
)

# An address is out of use after so many soft bounces of different messages within so many days.
SOFT_BOUNCES = 4
SOFT_BOUNCE_DAYS = 30
# The provider refuses us, not the people, after so many refusals in a row with one and the same
# code that names no address.
REFUSALS_IN_A_ROW = 20
