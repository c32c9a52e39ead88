"""What shops print: goods, headings and labels in both languages. Made up; no real shop, no real mark.

Some goods carry a label's word in their name on purpose (`Total care shampoo`, `优惠装洗衣液`): who reads a receipt
by its words alone must not fall for them.
"""

from __future__ import annotations

from dataclasses import dataclass

ZH, EN = "zh", "en"


@dataclass(frozen=True, slots=True)
class Words:
    """One language's shop."""

    shops: tuple[str, ...]
    streets: tuple[str, ...]
    goods: tuple[str, ...]
    weighed: tuple[str, ...]
    dishes: tuple[str, ...]
    wishes: tuple[str, ...]
    name: str
    code: str
    quantity: tuple[str, ...]
    price: str
    amount: tuple[str, ...]
    number: tuple[str, ...]
    date: str
    cashier: str
    subtotal: tuple[str, ...]
    discount: tuple[str, ...]
    tax: tuple[str, ...]
    tax_included: str
    total: tuple[str, ...]
    pieces: tuple[str, ...]
    cash: str
    change: str
    cards: tuple[str, ...]
    balance: str
    points: str
    table: str
    kitchen: tuple[str, ...]
    prebill: tuple[str, ...]
    refund: tuple[str, ...]
    void: tuple[str, ...]
    reprint: tuple[str, ...]
    original: str
    thanks: tuple[str, ...]
    signs: tuple[str, ...]


CHINESE = Words(
    shops=("好邻居便利店", "南街小超市", "春和茶饮", "老城面馆", "云上书店", "百味鲜果(东门店)"),
    streets=("人民路18号", "南街3号1层", "电话: 0571-8800 1234", "东门广场B1-07"),
    goods=(
        *(
            "可乐500ml",
            "矿泉水550ml",
            "纯牛奶250ml*12",
            "全麦切片面包400g",
            "红烧牛肉面5连包",
            "优惠装洗衣液2kg",
        ),
        *(
            "抽纸3层120抽*6包",
            "5号电池4粒装",
            "牙膏120g(薄荷)",
            "黑巧克力70%",
            "会员日特惠酸奶",
            "速溶咖啡1+2 20条",
        ),
        *("东北长粒香大米5kg", "花生油5L", "鲜鸡蛋30枚", "冰糖雪梨汁1L", "不锈钢保温杯", "A4复印纸500张"),
        *("儿童防晒霜SPF50+ 60ml 清爽不油腻", "手工水饺猪肉白菜馅速冻家庭装1kg", "无糖乌龙茶", "小计时器"),
    ),
    weighed=("红富士苹果", "香蕉", "本地西红柿", "精品五花肉", "大白菜", "基围虾(鲜活)"),
    dishes=(
        "宫保鸡丁",
        "鱼香肉丝",
        "番茄炒蛋",
        "米饭",
        "酸辣汤",
        "杨枝甘露(大)",
        "珍珠奶茶",
        "牛肉拉面",
        "拍黄瓜",
        "小笼包",
    ),
    wishes=("加冰", "少糖", "不要香菜", "微辣", "打包"),
    name="品名",
    code="条码",
    quantity=("数量", "数量"),
    price="单价",
    amount=("金额", "小计"),
    number=("单号", "流水号", "小票号", "No"),
    date="日期",
    cashier="收银员",
    subtotal=("小计", "商品合计", "金额合计"),
    discount=("优惠", "折扣", "会员优惠", "抹零"),
    tax=("税额", "增值税", "税金(13%)"),
    tax_included="其中税额",
    total=("应付", "应收", "合计", "总计", "实付金额"),
    pieces=("件数", "总数量", "合计件数"),
    cash="现金",
    change="找零",
    cards=("微信支付", "支付宝", "银行卡", "会员卡"),
    balance="会员余额",
    points="本次积分",
    table="桌号",
    kitchen=("后厨单", "厨打单", "制作单"),
    prebill=("预结单", "预结账单", "对账单(未付款)"),
    refund=("退货单", "退款单"),
    void=("作废单", "反结账"),
    reprint=("**重打**", "补打小票", "[重印 第2次]"),
    original="原单号",
    thanks=("谢谢惠顾 欢迎再次光临", "凭小票7日内退换", "请当面点清"),
    signs=("", "", "￥"),
)

ENGLISH = Words(
    shops=(
        "Corner Shop",
        "Harbour Books",
        "Oak Street Grocery",
        "Blue Door Coffee",
        "North Hardware",
        "Café Lumière",
    ),
    streets=("18 Oak Street", "Unit 7, Quay Road", "Tel 020 7946 0123", "VAT No 123 4567 89"),
    goods=(
        *(
            "Cola 500ml",
            "Still water 6x1.5L",
            "Semi-skimmed milk 2L",
            "7-grain bread 400g",
            "Total care shampoo",
        ),
        *(
            "AA batteries (4)",
            "Dark chocolate 70%",
            "Tax guide 2026",
            "Paper towels 3 rolls",
            "Basmati rice 5kg",
        ),
        *("Olive oil 750ml", "Free range eggs x12", "USB-C cable 2m", "Wood screws 4.0 x 50", "Jalapeño dip"),
        *(
            "Organic fair trade ground coffee medium roast 250g",
            "Change purse",
            "Notebook A5",
            "LED bulb 9W E27",
        ),
        *("Children's sun lotion SPF50+ 200ml water resistant", "Discount cat litter 10L", "Rosé wine 0.75L"),
    ),
    weighed=(
        "Bananas loose",
        "Royal Gala apples",
        "Vine tomatoes",
        "Cheddar cheese",
        "Sirloin steak",
        "New potatoes",
    ),
    dishes=(
        *("Flat White", "Cappuccino", "Iced Latte", "Croissant", "Soup of the day", "Fish & Chips"),
        *("Caesar Salad", "Sparkling Water", "Crème brûlée", "Kids Pasta"),
    ),
    wishes=("oat milk", "no sugar", "extra shot", "no onions", "to go"),
    name="Item",
    code="Code",
    quantity=("Qty", "Qty"),
    price="Price",
    amount=("Amount", "Total"),
    number=("Receipt", "Receipt No", "Ticket", "Inv#"),
    date="Date",
    cashier="Cashier",
    subtotal=("Subtotal", "Sub-total", "SUBTOTAL", "Net total"),
    discount=("Discount", "Member discount", "Coupon", "Promotion"),
    tax=("Tax 8.25%", "Sales tax", "VAT 20%", "GST"),
    tax_included="incl. VAT",
    total=("TOTAL", "Total", "Amount due", "Balance due", "Grand total"),
    pieces=("Items", "Total items", "No. of items"),
    cash="Cash",
    change="Change",
    cards=("Visa ****4242", "Mastercard", "Gift card", "Contactless"),
    balance="Card balance",
    points="Points earned",
    table="Table",
    kitchen=("KITCHEN", "** KITCHEN ORDER **", "BAR ORDER"),
    prebill=("GUEST CHECK", "PRO FORMA", "BILL - NOT PAID"),
    refund=("REFUND", "*** RETURN ***"),
    void=("VOID", "*** CANCELLED ***"),
    reprint=("** COPY **", "REPRINT", "DUPLICATE"),
    original="Original",
    thanks=("Thank you, see you soon!", "Returns within 14 days with receipt", "www.example.com"),
    signs=("", "", "$", "£", "€"),
)

WORDS = {ZH: CHINESE, EN: ENGLISH}
