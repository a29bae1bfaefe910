"""Write the CSV files in `seeds/`: two years of a small shop that sells coffee and tea.

    python generate_seeds.py            write the files
    python generate_seeds.py --check    write nothing; exit with 1 if a file would change

The result depends on nothing but this file, so the same files come out every time. Amounts are
whole cents, times are UTC.
"""

from __future__ import annotations

import argparse
import csv
import io
import itertools
import random
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import NamedTuple, TypeVar

SEED = 20240101
FIRST_DAY = datetime(2024, 1, 1)
LAST_DAY = datetime(2025, 12, 31)
CUSTOMERS = 500
ORDERS = 2600

# How often each value is drawn, as a share of the sum.
COUNTRIES = {"DE": 40, "FR": 25, "NL": 15, "AT": 10, "CH": 10}
OUTCOMES = {"completed": 90, "returned": 6, "cancelled": 4}
CHANNELS = {"web": 70, "app": 22, "phone": 8}
METHODS = {"card": 65, "bank_transfer": 35}

DAYS_UNTIL = {"placed": 0, "cancelled": 1, "completed": 4, "returned": 16}

FREE_SHIPPING_FROM_CENTS = 4_000
SHIPPING_CENTS = 490


class Shelf(NamedTuple):
    """A category: every kind comes in every form. Prices are in whole euros."""

    category: str
    kinds: tuple[str, ...]
    forms: tuple[str, ...]
    lowest_price: int
    highest_price: int


SHELVES = (
    Shelf(
        "coffee",
        kinds=("House", "Mountain", "Harbour", "Winter", "Decaf"),
        forms=("beans", "ground", "pods"),
        lowest_price=7,
        highest_price=19,
    ),
    Shelf(
        "tea",
        kinds=("Green", "Black", "Herbal", "White"),
        forms=("loose leaf", "bags", "gift tin"),
        lowest_price=4,
        highest_price=15,
    ),
    Shelf(
        "equipment",
        kinds=("Small", "Large"),
        forms=("press", "grinder", "kettle", "dripper"),
        lowest_price=20,
        highest_price=80,
    ),
    Shelf(
        "cups",
        kinds=("Blue", "Grey", "Sand"),
        forms=("espresso cup", "mug", "tea bowl"),
        lowest_price=8,
        highest_price=18,
    ),
)

SEEDS = Path(__file__).resolve().parent / "seeds"

T = TypeVar("T")


@dataclass(frozen=True)
class Customer:
    customer_id: int
    country_code: str
    segment: str
    signed_up_at: datetime


@dataclass(frozen=True)
class Product:
    product_id: int
    name: str
    category: str
    price_cents: int
    cost_cents: int
    updated_at: datetime


@dataclass(frozen=True)
class Order:
    order_id: int
    customer_id: int
    status: str
    channel: str
    shipping_cents: int
    ordered_at: datetime
    updated_at: datetime


@dataclass(frozen=True)
class OrderItem:
    order_item_id: int
    order_id: int
    product_id: int
    quantity: int
    unit_price_cents: int


@dataclass(frozen=True)
class Payment:
    payment_id: int
    order_id: int
    method: str
    status: str
    amount_cents: int
    paid_at: datetime


Record = Customer | Product | Order | OrderItem | Payment


class Table(NamedTuple):
    """The content of one CSV file."""

    name: str
    columns: tuple[str, ...]
    rows: list[list[str]]


class Dice:
    """Random choices made from `random.random()` only.

    It is the one method whose sequence Python promises to keep from version to version.
    """

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)

    def chance(self, probability: float) -> bool:
        return self._random.random() < probability

    def between(self, low: int, high: int) -> int:
        return low + int(self._random.random() * (high - low + 1))

    def pick(self, items: Sequence[T]) -> T:
        return items[self.between(0, len(items) - 1)]

    def weighted(self, weights: dict[str, int]) -> str:
        point = self._random.random() * sum(weights.values())
        for item, weight in weights.items():
            point -= weight
            if point < 0:
                return item
        return next(reversed(weights))


def make_customers(dice: Dice) -> list[Customer]:
    days = (LAST_DAY - FIRST_DAY).days
    # The product of two draws puts most sign-ups at the start: time enough to order.
    sign_ups = sorted(
        FIRST_DAY
        + timedelta(
            days=dice.between(0, days) * dice.between(0, 100) // 100,
            seconds=dice.between(0, 86_399),
        )
        for _ in range(CUSTOMERS)
    )
    return [
        Customer(
            customer_id=number,
            country_code=dice.weighted(COUNTRIES),
            segment=dice.weighted({"consumer": 85, "business": 15}),
            signed_up_at=signed_up_at,
        )
        for number, signed_up_at in enumerate(sign_ups, start=1)
    ]


def make_products(dice: Dice) -> list[Product]:
    products: list[Product] = []
    for shelf in SHELVES:
        for kind, form in itertools.product(shelf.kinds, shelf.forms):
            price = dice.between(shelf.lowest_price, shelf.highest_price) * 100 - 10
            products.append(
                Product(
                    product_id=len(products) + 1,
                    name=f"{kind} {form}",
                    category=shelf.category,
                    price_cents=price,
                    cost_cents=price * dice.between(35, 65) // 100,
                    updated_at=FIRST_DAY + timedelta(days=dice.between(0, 700)),
                )
            )
    return products


def make_orders(
    dice: Dice, customers: Sequence[Customer], products: Sequence[Product]
) -> tuple[list[Order], list[OrderItem], list[Payment]]:
    drafts: list[Order] = []
    while len(drafts) < ORDERS:
        customer = dice.pick(customers)
        ordered_at = FIRST_DAY + timedelta(
            days=dice.between(0, (LAST_DAY - FIRST_DAY).days),
            seconds=dice.between(6 * 3_600, 22 * 3_600),
        )
        # A quiet weekend, and nothing before the customer signed up.
        if ordered_at < customer.signed_up_at or (ordered_at.weekday() >= 5 and dice.chance(0.4)):
            continue
        age = LAST_DAY - ordered_at
        drafts.append(
            Order(
                order_id=0,
                customer_id=customer.customer_id,
                status="placed" if age < timedelta(days=3) else dice.weighted(OUTCOMES),
                channel=dice.weighted(CHANNELS),
                shipping_cents=0,
                ordered_at=ordered_at,
                updated_at=ordered_at,
            )
        )

    orders: list[Order] = []
    items: list[OrderItem] = []
    payments: list[Payment] = []
    for order_id, draft in enumerate(sorted(drafts, key=lambda order: order.ordered_at), start=1):
        chosen = {dice.pick(products) for _ in range(dice.between(1, 4))}
        total = 0
        for product in sorted(chosen, key=lambda product: product.product_id):
            quantity = dice.between(1, 3)
            total += quantity * product.price_cents
            items.append(
                OrderItem(
                    order_item_id=len(items) + 1,
                    order_id=order_id,
                    product_id=product.product_id,
                    quantity=quantity,
                    unit_price_cents=product.price_cents,
                )
            )
        shipping = 0 if total >= FREE_SHIPPING_FROM_CENTS else SHIPPING_CENTS
        settled_after = timedelta(days=DAYS_UNTIL[draft.status], minutes=dice.between(5, 600))
        order = replace(
            draft,
            order_id=order_id,
            shipping_cents=shipping,
            updated_at=draft.ordered_at + settled_after,
        )
        orders.append(order)
        for payment in make_payments(dice, order, total + shipping):
            payments.append(replace(payment, payment_id=len(payments) + 1))
    return orders, items, payments


def make_payments(dice: Dice, order: Order, total: int) -> list[Payment]:
    """Make the payments of one order. What is not "failed" adds up to the total."""
    attempt = Payment(
        payment_id=0,
        order_id=order.order_id,
        method=dice.weighted(METHODS),
        status="failed",
        amount_cents=total,
        paid_at=order.ordered_at + timedelta(minutes=dice.between(1, 30)),
    )
    if order.status == "cancelled":
        return [attempt]

    payments: list[Payment] = []
    if dice.chance(0.05):
        payments.append(attempt)
        attempt = replace(attempt, paid_at=attempt.paid_at + timedelta(minutes=20))
    final = replace(attempt, status="refunded" if order.status == "returned" else "paid")
    if dice.chance(0.08):
        gift = replace(final, method="gift_card", amount_cents=total // 2)
        payments.append(gift)
        final = replace(final, amount_cents=total - gift.amount_cents)
    payments.append(final)
    return payments


def make_tables() -> list[Table]:
    dice = Dice(SEED)
    customers = make_customers(dice)
    products = make_products(dice)
    orders, items, payments = make_orders(dice, customers, products)
    return [
        to_table("raw_customers", customers),
        to_table("raw_products", products),
        to_table("raw_orders", orders),
        to_table("raw_order_items", items),
        to_table("raw_payments", payments),
    ]


def to_table(name: str, records: Sequence[Record]) -> Table:
    columns = tuple(vars(records[0]))
    rows = [[to_cell(value) for value in vars(record).values()] for record in records]
    return Table(name, columns, rows)


def to_cell(value: object) -> str:
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d %H:%M:%S")
    return str(value)


def to_csv(table: Table) -> bytes:
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(table.columns)
    writer.writerows(table.rows)
    return buffer.getvalue().encode("ascii")


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Write the CSV files of the sample shop.")
    parser.add_argument(
        "--check",
        action="store_true",
        help="write nothing; exit with 1 if a file would change",
    )
    check: bool = parser.parse_args(arguments).check

    changed = False
    for table in make_tables():
        path = SEEDS / f"{table.name}.csv"
        content = to_csv(table)
        if path.is_file() and path.read_bytes() == content:
            state = "unchanged"
        else:
            changed = True
            state = "differs" if check else "written"
            if not check:
                path.parent.mkdir(exist_ok=True)
                path.write_bytes(content)
        print(f"{path.name}: {len(table.rows)} rows, {len(content)} bytes, {state}")
    return 1 if check and changed else 0


if __name__ == "__main__":
    sys.exit(main())
