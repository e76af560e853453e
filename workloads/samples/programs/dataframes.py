"""A data-frame job: orders joined with customers, grouped and reshaped in pandas.

Run `python dataframes.py [ROWS]`, ROWS a day.
"""

import sys

import numpy as np
import pandas as pd

DAYS = 36
CITIES = ["Lisbon", "Porto", "Ghent", "Turin", "Graz", "Lyon", "Bergen", "Tartu", "Split", "Brno"]
ADJECTIVES = ["light", "heavy", "blue", "round", "small", "wooden", "steel", "cotton"]
NOUNS = ["chair", "lamp", "table", "shirt", "cable", "bottle", "wheel", "basket"]


def customers(count: int, rng: np.random.Generator) -> pd.DataFrame:
    """One row per customer."""
    number = np.arange(count)
    return pd.DataFrame(
        {
            "customer": number,
            "name": [f"customer-{i:07d}@shop.example" for i in number],
            "city": pd.Categorical(rng.choice(CITIES, count)),
            "joined": pd.Timestamp("2020-01-01") + pd.to_timedelta(rng.integers(0, 1800, count), unit="D"),
            "discount": rng.choice([0.0, 0.05, 0.1], count, p=[0.8, 0.15, 0.05]),
        }
    )


def orders(day: int, rows: int, n_customers: int, rng: np.random.Generator) -> pd.DataFrame:
    """The orders of one day: few customers order much."""
    product = [f"{a} {n}" for a in ADJECTIVES for n in NOUNS]
    chosen = rng.integers(0, len(product), rows)
    return pd.DataFrame(
        {
            "customer": (rng.pareto(1.2, rows) * n_customers / 50).astype(np.int64) % n_customers,
            "at": pd.Timestamp("2024-03-01")
            + pd.to_timedelta(day * 86400 + np.sort(rng.integers(0, 86400, rows)), unit="s"),
            "product": [product[i] for i in chosen],
            "quantity": rng.geometric(0.5, rows),
            "price": np.round(rng.lognormal(3, 0.6, len(product))[chosen], 2),
            "note": np.where(rng.random(rows) < 0.03, "gift wrap", ""),
        }
    )


def report(days: list[pd.DataFrame], people: pd.DataFrame) -> str:
    """Who bought what where, and which customers spent most."""
    every = pd.concat(days, ignore_index=True).merge(people, on="customer")
    every["value"] = every["quantity"] * every["price"] * (1 - every["discount"])
    table = every.pivot_table(index="product", columns="city", values="value", aggfunc="sum", observed=True)
    best = every.groupby("name")["value"].sum().nlargest(10)
    return f"{len(every)} orders, {table.to_numpy().sum():.2f}, best {best.index[0]}"


def main() -> None:
    """A report over the last days every day, and one over all of them every ninth day."""
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else 50_000
    rng = np.random.default_rng(1)
    people = customers(4 * rows, rng)
    days: list[pd.DataFrame] = []
    for day in range(DAYS):
        days.append(orders(day, rows, len(people), rng))
        print(f"day {day}: {report(days[-3:], people)}", flush=True)
        if day % 9 == 8:
            print(f"until day {day}: {report(days, people)}", flush=True)


main()
