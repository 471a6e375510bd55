"""A bank's file of loans as it may come in China: Chinese headers, GB18030, wrong rows among them.

The same rows every time. Telephone numbers and identifiers are of ranges that belong to nobody.
"""

import numpy as np

COLUMNS = (
    "借据号", "客户号", "客户姓名", "手机号", "邮箱", "住址", "身份证号", "贷款余额", "年利率",
    "放款日期", "最后还款日", "省份", "评级",
)  # fmt: skip
SURNAMES = np.array(list("王李张刘陈杨黄赵吴周徐孙马朱胡郭何林高罗"))
GIVEN_NAMES = np.array(
    "伟 芳 秀英 敏 静 丽 强 磊 军 洋 勇 艳 杰 娟 涛 明 超 秀兰 霞 平 建国 小明 玉兰 志强".split()
)
PROVINCES = np.array("广东 江苏 山东 浙江 河南 四川 湖北 福建 湖南 上海 安徽 河北".split())
STREETS = np.array("人民路 建设路 解放路 中山路 和平路 新华路 文化路 胜利路".split())
GRADES = np.array(list("ABCDEFG"))
WRONG = ("bad amount", "bad date", "duplicate reference", "missing reference")
"""What is wrong in one row of each hundred, in turn."""
CODES = ("INVALID_NUMBER", "INVALID_DATE", "DUPLICATE_REFERENCE", "MISSING_VALUE")
"""How the check calls it."""
WRONG_EVERY, WRONG_AT = 100, 57
LOANS_OF_A_PERSON = 10
"""Each tenth row is a second loan of whoever is in the row before."""
_CHECK_WEIGHTS = np.array([7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2])
_SEED = 18_030


def rejected(rows: int) -> int:
    """How many of so many rows, a multiple of 400, are wrong: as many of each kind."""
    return rows // WRONG_EVERY


def people(rows: int) -> int:
    """How many borrowers the good ones among so many rows, a multiple of 400, have."""
    return rows - rows // LOANS_OF_A_PERSON - rejected(rows)


def content(rows: int, prefix: str = "DK") -> bytes:
    """A file of so many rows, whose references and customers begin with `prefix`."""
    columns = _columns(rows, prefix)
    for kind, _name in enumerate(WRONG):
        for row in range(kind * WRONG_EVERY + WRONG_AT, rows, WRONG_EVERY * len(WRONG)):
            _spoil(columns, row, kind)
    lines = map(",".join, zip(*columns.values(), strict=True))
    return "\n".join([",".join(COLUMNS), *lines, ""]).encode("gb18030")


def _spoil(columns: dict[str, list[str]], row: int, kind: int) -> None:
    match WRONG[kind]:
        case "bad amount":
            columns["贷款余额"][row] = "很多"
        case "bad date":
            columns["放款日期"][row] = "2021-02-30"
        case "duplicate reference":
            columns["借据号"][row] = columns["借据号"][row - WRONG_AT // 2]
        case _:
            columns["借据号"][row] = ""


def _columns(rows: int, prefix: str) -> dict[str, list[str]]:
    dice = np.random.default_rng(_SEED)
    numbers = np.arange(rows)
    people = numbers - (numbers % LOANS_OF_A_PERSON == LOANS_OF_A_PERSON - 1)
    places = dice.permutation(rows)[people]
    cents = np.clip(dice.lognormal(13.2, 0.7, rows), 25_000, 35_000_000).astype(int)
    paid = np.datetime64("2025-12-20") - dice.integers(40, 1_100, rows)
    opened = paid - dice.integers(90, 1_000, rows)
    provinces = dice.choice(PROVINCES, rows)
    names = np.char.add(
        SURNAMES[places % len(SURNAMES)], GIVEN_NAMES[places // 7 % len(GIVEN_NAMES)]
    )
    return {
        "借据号": [f"{prefix}{number:08d}" for number in range(rows)],
        "客户号": [f"{prefix}C{number:08d}" for number in people.tolist()],
        "客户姓名": names.tolist(),
        "手机号": [f"12{place:09d}" for place in places.tolist()],
        "邮箱": [f"kehu{place}@example.com" for place in places.tolist()],
        "住址": [
            f"{province}省{street}{number}号"
            for province, street, number in zip(
                provinces.tolist(),
                dice.choice(STREETS, rows).tolist(),
                dice.integers(1, 999, rows).tolist(),
                strict=True,
            )
        ],
        "身份证号": _identifiers(places),
        "贷款余额": [f"{amount // 100}.{amount % 100:02d}" for amount in cents.tolist()],
        "年利率": [f"{rate / 100:.2f}" for rate in dice.integers(650, 2_400, rows).tolist()],
        "放款日期": opened.astype(str).tolist(),
        "最后还款日": paid.astype(str).tolist(),
        "省份": provinces.tolist(),
        "评级": dice.choice(GRADES, rows).tolist(),
    }


def _identifiers(places: np.ndarray) -> list[str]:
    """Identifiers of GB 11643 with their check digit, of a division that there is not."""
    born = np.datetime64("1955-01-01") + places % 15_000
    months = np.char.replace(born.astype(str), "-", "")
    first = [
        f"99{place // 15_000:04d}{day}{place % 1_000:03d}"
        for place, day in zip(places.tolist(), months.tolist(), strict=True)
    ]
    digits = np.frombuffer("".join(first).encode(), dtype=np.uint8).reshape(-1, 17) - ord("0")
    checks = digits.astype(int) @ _CHECK_WEIGHTS % 11
    return [f"{text}{'10X98765432'[check]}" for text, check in zip(first, checks, strict=True)]
