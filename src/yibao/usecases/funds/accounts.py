"""Books, subjects, and where the ledger's accounts stand in them: package data, ``data/funds``."""

from __future__ import annotations

import csv
import tomllib
from functools import cache
from importlib import resources

import msgspec


class Subject(msgspec.Struct, frozen=True):
    """A subject of the funds' accounts; ``side`` is where its balance normally stands, the marks say how sure it is."""

    code: str
    name: str
    element: str
    side: str
    name_mark: str
    code_mark: str


class Book(msgspec.Struct, frozen=True):
    """One set of books: the funds whose codes begin with one of its prefixes."""

    code: str
    title: str
    prefixes: tuple[str, ...]


class Party(msgspec.Struct, frozen=True):
    """Where the ledger's accounts of a kind that is no fund stand: ``bank``, ``payable``, ``payout`` ...

    ``book`` is set where they stand in one book whatever the funds.
    """

    subject: str
    title: str
    book: str = ""


class BookWords(msgspec.Struct, frozen=True):
    """The sets of books.

    Attributes:
        personal_accounts: the fund that all personal accounts of a region make up together.
        pending: book of money whose insurance is not known yet.
        bank: subject of deposits; carried: subject that income and spending are carried to.
        titles: names of funds of our own, which no code table has.
    """

    personal_accounts: str
    pending: str
    bank: str
    carried: str
    titles: dict[str, str]
    parties: dict[str, Party]
    books: tuple[Book, ...]

    def book_of(self, fund: str) -> str:
        """Return the book of a fund."""
        return next(b.code for b in self.books if any(fund.startswith(p) for p in b.prefixes))

    def title_of(self, book: str) -> str:
        """Return the name of a book."""
        return next(b.title for b in self.books if b.code == book)

    def party(self, name: str) -> Party:
        """Return where an account that is no fund stands; one that nobody named stands among the deposits."""
        return self.parties.get(name, Party(self.bank, name))


@cache
def book_words() -> BookWords:
    """Return the books, read once."""
    file = resources.files("yibao") / "data" / "funds" / "books.toml"
    return msgspec.convert(tomllib.loads(file.read_text(encoding="utf-8")), BookWords)


@cache
def subjects() -> dict[str, Subject]:
    """Return the subjects by number, read once."""
    file = resources.files("yibao") / "data" / "funds" / "subjects.csv"
    rows = csv.DictReader(file.read_text(encoding="utf-8").splitlines())
    return {row["code"]: msgspec.convert(row, Subject) for row in rows}


@cache
def fund_title(fund: str) -> str:
    """Return the name of a fund as the interface's code table has it, or its number where it has none."""
    named = book_words().titles.get(fund)
    if named:
        return named
    file = resources.files("yibao") / "data" / "interface" / "code_tables.csv"
    for row in csv.reader(file.read_text(encoding="utf-8").splitlines()):
        if row[0] == "fund_pay_type" and row[1] == fund:
            return row[2]
    return f"基金{fund}"
