"""The events of maintenance files, and the words that banks use for them."""

_WORDS = {
    "balance": "balance_change|balance_correction|adjustment|余额|余额变更|余额更新|余额调整",
    "direct_payment": "payment|paid|receipt|还款|直接还款|自行还款|客户还款|回款",
    "deceased": "death|died|死亡|身故|去世|已故",
    "insolvent": "insolvency|bankrupt|bankruptcy|破产|个人破产|资不抵债",
    "dispute": "disputed|争议|异议|有争议",
    "plan": "repayment_plan|payment_plan|arrangement|还款计划|分期|个性化分期|展期",
    "settled": "settlement|paid_off|closed|结清|已结清|和解|销户",
    "contact": "contact_data|contact_change|联系方式|联系方式变更|客户信息变更|信息更新",
    "released": "release|resume|解除|解除停催|恢复|恢复催收",
}
EVENTS = tuple(_WORDS)

EVENT_OF_WORD = {
    word: event for event, words in _WORDS.items() for word in (event, *words.split("|"))
}
"""Word, in lower case with underscores for spaces → event."""
