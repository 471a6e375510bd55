"""What banks call the fields in their headers, in English, Chinese and the EU's template.

The names of the EU's template are those of Implementing Regulation (EU) 2023/2083. Names are
compared without case, spaces and punctuation; the better name comes first.
"""

_LOAN_NAMES = {
    "reference": (
        "loan reference|loan id|loan identifier|instrument identifier|loan number|loan no|"
        "contract number|contract no|contract id|account number|account no|account id|loan ref|"
        "reference number|ref no|id|贷款编号|借据号|借据编号|合同号|合同编号|贷款账号|贷款号|"
        "借款合同号|借款合同编号|借据号码|合同号码|贷款合同号|贷款合同编号|账户编号|账号|"
        "案件编号|案件号|资产编号|编号"
    ),
    "balance": (
        "balance|outstanding balance|total balance|legal balance|total outstanding|balance due|"
        "current balance|amount owed|outstanding|total debt|debt|余额|贷款余额|债权余额|"
        "债权总额|欠款总额|欠款余额|欠款金额|总欠款|未偿余额|剩余欠款|应还总额|本息合计|本息余额|"
        "委案金额|债权合计|未还总额|结欠金额"
    ),
    "principal": (
        "principal|principal balance|outstanding principal|unpaid principal|remaining principal|"
        "principal outstanding|capital|本金|剩余本金|本金余额|未还本金|欠款本金|结欠本金|拖欠本金|"
        "未偿本金|贷款本金余额|债权本金|逾期本金"
    ),
    "interest": (
        "interest|accrued interest|interest balance|interest due|outstanding interest|"
        "accrued interest balance on book|interest balance on book|利息|利息余额|欠息|欠款利息|"
        "未还利息|应收利息|拖欠利息|剩余利息|结欠利息|欠息余额"
    ),
    "fees": (
        "fees|fee balance|charges|costs|other balances|outstanding fees|penalties|late fees|费用|"
        "罚息|罚息余额|违约金|滞纳金|手续费|其他费用|费用余额|逾期费用|未还费用|剩余费用|复利"
    ),
    "rate": (
        "rate|interest rate|current interest rate|annual rate|int rate|apr|annual interest rate|"
        "original interest rate|利率|年利率|执行利率|贷款利率|年化利率|合同利率"
    ),
    "product": (
        "product|product type|product name|loan type|asset class|产品|产品名称|产品类型|贷款产品|"
        "贷款种类|贷款类型|业务品种|业务类型|贷款品种"
    ),
    "is_secured": (
        "is secured|secured|collateralised|collateralized|is collateralised|是否抵押|"
        "是否有抵押|有无抵押|是否有担保|有无担保|是否担保"
    ),
    "collateral": (
        "collateral|collateral type|security|security type|type of collateral|抵押物|押品|"
        "抵押物类型|押品类型|抵质押物|担保物|抵押品|担保方式"
    ),
    "opened_on": (
        "opened on|open date|opening date|opened|origination date|date of origination|"
        "disbursement date|loan date|start date|issue date|contract date|放款日期|放款日|发放日期|"
        "贷款发放日|贷款发放日期|借款日期|起始日期|贷款起始日|贷款起期|合同签订日期|起息日|开户日期|"
        "开卡日期|借款起始日|贷款日期"
    ),
    "defaulted_on": (
        "defaulted on|default date|date of default|charge off date|chargeoff date|"
        "write off date|npl date|past due since|违约日期|违约日|逾期日期|逾期起始日|"
        "逾期开始日期|首次逾期日期|转不良日期|不良日期|逾期日|核销日期|开始逾期日"
    ),
    "days_past_due": (
        "days past due|dpd|number of days past due|days overdue|days in arrears|overdue days|"
        "逾期天数|当前逾期天数|拖欠天数|连续逾期天数|最大逾期天数"
    ),
    "last_payment_on": (
        "last payment on|last payment date|date of last payment|last payment|last paid on|"
        "last pymnt d|最后还款日|最后还款日期|最近还款日|最近还款日期|上次还款日期|上次还款日|"
        "最后一次还款日期|最近一次还款日期|末次还款日期|最后还款时间|最后一次还款日"
    ),
    "region": (
        "region|state|province|addr state|geographic region of registered location|city|省份|"
        "地区|省|所在省份|所在地区|省市|所属地区|客户地区|区域|城市|所在地"
    ),
    "jurisdiction": (
        "jurisdiction|governing law of loan agreement|governing law|jurisdiction of court|court|"
        "管辖|司法管辖|管辖地|管辖法院|司法辖区|法律管辖"
    ),
    "grade": (
        "grade|rating|risk grade|band|risk band|internal credit rating|评级|等级|风险等级|"
        "客户等级|风险评级|资产等级|五级分类|贷款等级"
    ),
    "score": (
        "score|credit score|risk score|behaviour score|behavior score|fico|评分|信用评分|"
        "风险评分|行为评分|催收评分|评分卡分数|信用分"
    ),
    "expected_recovery": (
        "expected recovery|expected recovery rate|recovery rate|预期回收率|预计回收率|"
        "预计回款率|预期回款率|回收率"
    ),
    "earlier_placements": (
        "earlier placements|previous placements|prior placements|placement count|"
        "number of placements|委外次数|历史委外次数|累计委外次数|委案次数|已委外次数|历史委案次数"
    ),
    "limitation_on": (
        "limitation on|limitation date|statute of limitations|limitation expiry|诉讼时效|"
        "诉讼时效日期|诉讼时效到期日|时效日期|时效到期日|诉讼时效届满日"
    ),
    "customer_reference": (
        "customer reference|customer id|customer number|customer no|client id|client number|"
        "borrower id|borrower reference|counterparty identifier|客户编号|客户号|客户代码|"
        "客户标识|借款人编号|核心客户号|客户号码"
    ),
    "borrower_name": (
        "borrower name|name|customer name|client name|debtor name|full name|borrower|"
        "name of counterparty|客户姓名|借款人姓名|姓名|客户名称|借款人|债务人姓名|债务人|"
        "持卡人姓名|借款人名称|债务人名称"
    ),
    "phone": (
        "phone|phone number|telephone|mobile|mobile phone|mobile number|cell phone|"
        "telephone number|手机号|手机|手机号码|联系电话|电话|电话号码|移动电话|客户手机号|"
        "借款人手机号|本人手机号|联系方式|客户电话"
    ),
    "email": "email|email address|e mail|mail|邮箱|电子邮箱|电子邮件|客户邮箱|邮件地址",
    "address": (
        "address|street address|home address|postal address|residential address|"
        "address of registered location|地址|住址|家庭地址|联系地址|居住地址|户籍地址|通讯地址|"
        "家庭住址|现居住地址|客户地址"
    ),
    "national_id": (
        "national id|national identifier|id number|id card|id card number|identity number|"
        "tax code|ssn|身份证号|身份证|身份证号码|证件号码|证件号|居民身份证号|客户身份证号|"
        "借款人身份证号|证件编号"
    ),
    "currency": "currency|loan currency|currency code|ccy|币种|货币|币别|货币代码|币种代码",
}
_MAINTENANCE_NAMES = {
    "event": (
        "event|event type|change|change type|type|action|reason|事件|事件类型|变更类型|"
        "维护类型|变动类型|类型|业务类型"
    ),
    "amount": (
        "amount|payment amount|paid amount|transaction amount|金额|还款金额|交易金额|"
        "发生金额|回款金额|入账金额"
    ),
    "value_on": (
        "value on|value date|date|event date|effective date|payment date|as of date|日期|"
        "生效日期|还款日期|发生日期|交易日期|入账日期|起息日|变更日期|事件日期"
    ),
    "payment_reference": (
        "payment reference|payment id|payment number|transaction id|transaction reference|"
        "receipt number|流水号|交易流水号|还款流水号|入账流水号|凭证号|交易号"
    ),
    "balance": _LOAN_NAMES["balance"] + "|new balance|最新余额|变更后余额|剩余本金|本金余额",
    "note": "note|notes|comment|comments|remark|remarks|memo|备注|说明|摘要|附言",
    "name": _LOAN_NAMES["borrower_name"],
    **{name: _LOAN_NAMES[name] for name in ("reference", "phone", "email", "address", "currency")},
}

NAMES = {
    kind: {field: tuple(names.split("|")) for field, names in known.items()}
    for kind, known in (("loans", _LOAN_NAMES), ("maintenance", _MAINTENANCE_NAMES))
}
"""Kind of file → field → its names."""

MISLEADING = (
    "担保人|保证人|联系人|配偶|经理|紧急|共同|催收员|原始|初始|"
    "guarantor|spouse|manager|emergency|contact person|original"
).split("|")
"""A name with one of these is about somebody else than the borrower, or another time."""
