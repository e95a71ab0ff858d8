"""Columns: which of a file's columns we know, and how a cell of each is read."""

import csv
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from decimal import Decimal

from bodega_imports.variant_cells import variants_of

#: Characters of columns that every product has something in.
LONGEST = {"sku": 100, "name": 255, "handle": 255}
#: Images of one product.
MOST_IMAGES = 250
#: Tags of one product.
MOST_TAGS = 50
#: Grams, or millimetres.
LARGEST_MEASURE = {"weight": 10**9, "length": 10**6, "width": 10**6, "height": 10**6}
#: Reads the text of one cell; raises :class:`BadCell`.
Parse = Callable[[str], object]

_OWN = "sku name slug description price compareatprice currency category isactive imageurl"
# What exports have beside these, or can have; those without a synonym are not read.
_OWN += " variants cost tags isfeatured isdigital weightgrams lengthmillimetres widthmillimetres"
_OWN += " heightmillimetres metatitle metadescription popularity organization id"
_OWN += " createdat updatedat images"
# A file has the first format of which it has all the columns.
_SIGNS = (
    ("shopify", {"handle", "title"}),
    ("shopify", {"urlhandle", "title"}),
    ("woocommerce", {"sku", "name", "regularprice"}),
    ("magento", {"sku", "name", "urlkey"}),
    ("magento", {"sku", "name", "productonline"}),
    ("magento", {"sku", "name", "attributesetcode"}),
)
# Names without case, spaces and punctuation; the best first. The fields sale_price and
# status are no product's own: they refine its price and is_active.
_SYNONYMS = {
    "handle": "handle urlhandle producthandle",
    "sku": "sku variantsku productsku itemsku articlenumber itemnumber productcode itemcode",
    "name": "name title productname producttitle itemname",
    "slug": "slug urlkey urlslug permalink",
    "description": "description bodyhtml body productdescription longdescription shortdescription",
    "price": "price variantprice regularprice unitprice retailprice",
    "sale_price": "saleprice specialprice",
    "compare_at_price": "compareatprice variantcompareatprice listprice msrp rrp",
    "currency": "currency currencycode",
    "category": "category categories productcategory",
    "is_active": "isactive active enabled published publishedononlinestore productonline status",
    "image_url": "imageurl image imagesrc imagelink productimageurl baseimage",
    # All of them, in their order; the one above is the first.
    "images": "images imageurls additionalimages additionalimageurls galleryimages",
    "tags": "tags producttags",
    "cost": "cost costprice costperitem",
    "is_featured": "isfeatured",
    "is_digital": "isdigital",
    "weight": "weightgrams variantgrams",
    "length": "lengthmillimetres",
    "width": "widthmillimetres",
    "height": "heightmillimetres",
    "meta_title": "metatitle seotitle",
    "meta_description": "metadescription seodescription",
}
_SHOPIFY = _SYNONYMS | {
    "category": "type productcategory", "status": "status", "image_alt": "imagealttext",
    "images": "",
}  # fmt: skip
# It names the unit with the column; what is in pounds or inches is left to profiles.
_WOOCOMMERCE = _SYNONYMS | {
    "weight": "weightkg", "length": "lengthcm", "width": "widthcm", "height": "heightcm",
    "is_digital": "", "is_featured": "isfeatured",
}  # fmt: skip
# Elsewhere a column of this name holds who knows what.
_OF_FORMAT = {
    "shopify": _SHOPIFY,
    "woocommerce": _WOOCOMMERCE,
    "bodega": _SYNONYMS | {"variants": "variants"},
}
#: What a column can mean, beside what addons add.
FIELDS = (*_SYNONYMS, "variants")
_YES = "true 1 yes y on active published enabled"
_NO = "false 0 no n off draft archived unlisted inactive unpublished disabled"
# WooCommerce writes a draft as -1, Magento a disabled product as 2.
_NO_IN = {"woocommerce": _NO + " -1", "magento": _NO + " 2"}
#: An address may hold any of these signs itself, but hardly with another address behind it.
_BETWEEN = re.compile(r"\s*[,;|]\s*(?=https?://)|\s+", re.IGNORECASE)
_ADDRESS = re.compile(r"https?://[^\s/?#]\S*", re.IGNORECASE)


class UnrecognisedColumns(Exception):
    """The columns are not those of products; the message names them and those expected."""


class BadCell(ValueError):
    """A cell cannot be used; the message says what was expected."""


@dataclass(frozen=True, slots=True)
class Layout:
    """What the columns of a file mean.

    Args:
        format: ``bodega``, ``shopify``, ``woocommerce``, ``magento`` or ``generic``.
        columns: index of the column of a field.
        options: indexes of the name and of the value of each option of a variant.
        ignored: names of the columns that are not used.
        header: names of all columns.
    """

    format: str
    columns: dict[str, int]
    options: tuple[tuple[int, int], ...]
    ignored: tuple[str, ...]
    header: tuple[str, ...]

    @property
    def grouped(self) -> bool:
        """Whether the rows of one handle fold into one product."""
        return "handle" in self.columns


def recognise(
    header: Sequence[str],
    extensions: Iterable[str] = (),
    mapping: Mapping[str, str] | None = None,
) -> Layout:
    """Find out from the names of a file's columns what they mean.

    Args:
        extensions: columns that addons add to products, e.g. ``loyalty.points``.
        mapping: what columns mean that would not be recognised, or wrongly: their names, and
            the field; ``""`` for one that is not to be used.

    Raises:
        UnrecognisedColumns: no column is a name, or none is a SKU or a handle, or one of the
            mapping is not there.
    """
    extensions = tuple(extensions)
    places: dict[str, int] = {}
    for index, name in enumerate(header):
        places.setdefault(re.sub(r"[\W_]+", "", name.casefold()), index)
    added = {re.sub(r"[\W_]+", "", name.casefold()) for name in extensions}
    format = _format(places.keys() - {""} - added)
    columns = _columns(_OF_FORMAT.get(format, _SYNONYMS), places)
    columns |= _extensions(header, extensions)
    columns = _mapped(columns, header, mapping or {})
    _demand(columns, header)
    options = _options(places) if "handle" in columns else ()
    used = {*columns.values(), *(index for pair in options for index in pair)}
    ignored = tuple(name for at, name in enumerate(header) if name and at not in used)
    return Layout(format, columns, options, ignored, tuple(header))


def _format(names: set[str]) -> str:
    if {"sku", "name"} <= names <= set(_OWN.split()):
        return "bodega"
    return next((format for format, signs in _SIGNS if signs <= names), "generic")


def _columns(synonyms: Mapping[str, str], places: Mapping[str, int]) -> dict[str, int]:
    known = {f: [name for name in names.split() if name in places] for f, names in synonyms.items()}
    return {field: places[names[0]] for field, names in known.items() if names}


def _options(places: Mapping[str, int]) -> tuple[tuple[int, int], ...]:
    names = [(f"option{number}name", f"option{number}value") for number in (1, 2, 3)]
    return tuple((places[a], places[b]) for a, b in names if a in places and b in places)


def _mapped(
    columns: dict[str, int], header: Sequence[str], mapping: Mapping[str, str]
) -> dict[str, int]:
    places = {name.strip().casefold(): at for at, name in reversed(list(enumerate(header)))}
    for name, meant in mapping.items():
        place = places.get(name.strip().casefold())
        if place is None:
            found = ", ".join(name[:50] for name in header[:20])
            raise UnrecognisedColumns(
                f"The profile says what the column {name!r} is, and the file has none of that "
                f"name; found {found}: rename one, or change the profile."
            )
        columns = {known: at for known, at in columns.items() if at != place}
        columns |= {meant: place} if meant else {}
    return columns


def _extensions(header: Sequence[str], known: Iterable[str]) -> dict[str, int]:
    places = {name.strip().casefold(): at for at, name in reversed(list(enumerate(header)))}
    return {name: places[name.casefold()] for name in known if name.casefold() in places}


def _demand(columns: Mapping[str, int], header: Sequence[str]) -> None:
    missing = [] if columns.keys() & {"sku", "handle"} else ["the SKU (sku, Variant SKU, Handle)"]
    missing += [] if "name" in columns else ["the name (name, Title)"]
    if missing:
        found = ", ".join(name[:50] for name in header[:20])
        expected = " and ".join(missing)
        raise UnrecognisedColumns(f"Expected a column for {expected}; found {found}: rename one.")


def parsers(
    format: str, exponent: int, extensions: Mapping[str, Parse] | None = None
) -> dict[str, Parse]:
    """Return how a cell of each field reads in a format, given the currency's decimals.

    Where no value is required, a blank cell reads as None; a description reads as it is.
    """
    price, active = _price(exponent), _switch(format)
    optional: dict[str, Parse] = dict.fromkeys(("compare_at_price", "sale_price", "cost"), price)
    optional |= dict.fromkeys(("is_featured", "is_digital"), active)
    grams, millimetres = (1000, 10) if format == "woocommerce" else (1, 1)
    optional |= {
        name: _measure(grams if name == "weight" else millimetres, largest)
        for name, largest in LARGEST_MEASURE.items()
    }
    optional |= {"meta_title": _text(255), "meta_description": _text(500), "tags": tags}
    optional |= dict.fromkeys(("is_active", "status"), active) | {"currency": _currency}
    optional |= {"slug": text(255), "category": text(255), "image_url": _address}
    if format in ("woocommerce", "magento"):
        optional |= {"category": _first(optional["category"])}
    if format == "magento":
        # Exports hold paths below a media folder whose address the file does not tell.
        optional["image_url"] = lambda cell: _first(_address)(cell) if "://" in cell else None
    optional |= {"images": _addresses(format == "magento"), "image_alt": _text(1000)}
    optional["variants"] = _read(variants_of(price))
    required = {name: text(longest) for name, longest in LONGEST.items()} | {"price": price}
    optional |= {name: _checked(parse) for name, parse in (extensions or {}).items()}
    read = {field: _unless_blank(parse) for field, parse in optional.items()}
    return required | read | {"description": _description}


def tags(cell: str) -> list[str]:
    """Return the tags of a cell, which are separated by commas; one in quotes may have some.

    Raises:
        BadCell: there are too many, or one is too long.
    """
    found = list(dict.fromkeys(filter(None, (" ".join(t.split()) for t in _parted(cell)))))
    if len(found) > MOST_TAGS:
        raise BadCell(f"expected at most {MOST_TAGS} tags, found {len(found):,}")
    if longest := next((tag for tag in found if len(tag) > 100), ""):
        raise BadCell(f"expected tags of at most 100 characters, found {longest[:100]!r}…")
    return found


def _parted(cell: str) -> list[str]:
    if '"' in cell:
        # Whoever does not mean quotes, as in 12" or "new", has them read as they are.
        with suppress(csv.Error):
            return next(csv.reader([cell], skipinitialspace=True, strict=True))
    return cell.split(",")


def _measure(unit: int, largest: int) -> Parse:
    """Return how a weight or a length reads, in whole grams or millimetres.

    Args:
        unit: how many of those the unit of the column has.
        largest: how many of those there may be.
    """
    amount = re.compile(r"[0-9]{1,9}(?:\.[0-9]{0,9})?").fullmatch

    def parse(cell: str) -> int:
        if not amount(cell.strip()):
            raise BadCell("expected a plain number such as 250, without its unit")
        value = round(Decimal(cell.strip()) * unit)
        if value > largest:
            raise BadCell(f"expected at most {largest // unit:,}")
        return value

    return parse


def _text(limit: int) -> Parse:
    """Return how a text reads that may be anything, of limited length."""

    def parse(cell: str) -> str:
        if len(value := cell.strip()) > limit:
            raise BadCell(f"expected at most {limit:,} characters, found {len(value):,}")
        return value

    return parse


def text(limit: int) -> Parse:
    """Return how a required text of limited length reads; it is stripped."""

    def parse(cell: str) -> str:
        if not (value := cell.strip()):
            raise BadCell("a value is required")
        if len(value) > limit:
            raise BadCell(f"expected at most {limit:,} characters, found {len(value):,}")
        return value

    return parse


def _description(cell: str) -> str:
    if len(cell) > 100_000:
        raise BadCell(f"expected at most 100,000 characters, found {len(cell):,}")
    return cell


def _price(exponent: int) -> Parse:
    amount = re.compile(rf"([0-9]{{1,12}})(?:\.(?=[0-9])([0-9]{{0,{exponent}}})0*)?").fullmatch
    usual = re.compile(
        rf"[0-9]{{1,12}}\.[0-9]{{{exponent}}}" if exponent else "[0-9]{1,12}"
    ).fullmatch
    expected = f"a plain decimal such as {1299:.{exponent}f}, at most {exponent} decimals"

    def parse(cell: str) -> int:
        if usual(cell):
            return int(cell.replace(".", ""))
        if not (match := amount(cell.strip())):
            raise BadCell(f"expected {expected}, no sign, currency or thousands separator")
        whole, decimals = match.groups("")
        return int(whole + decimals.ljust(exponent, "0"))

    return parse


def _switch(format: str) -> Parse:
    words = dict.fromkeys(_YES.split(), True)
    words |= dict.fromkeys(_NO_IN.get(format, _NO).split(), False)

    def parse(cell: str) -> bool:
        if (value := words.get(cell.strip().lower())) is None:
            raise BadCell("expected true or false, 1 or 0, yes or no, active, draft or archived")
        return value

    return parse


def _currency(cell: str) -> str:
    if not re.fullmatch(r"[A-Za-z]{3}", code := cell.strip()):
        raise BadCell("expected a currency code of three letters such as EUR")
    return code.upper()


def _address(cell: str) -> str:
    if len(url := cell.strip()) > 2000 or not _ADDRESS.fullmatch(url):
        raise BadCell("expected an address with http:// or https://, at most 2,000 characters")
    return url


def _addresses(some: bool) -> Parse:
    """Return how a list of addresses reads: with commas, bars, semicolons or spaces between.

    Args:
        some: whether what is no address is left out.
    """

    def parse(cell: str) -> list[str]:
        parts = [part for part in _BETWEEN.split(cell.strip()) if part]
        found = [_address(part) for part in parts if not some or "://" in part]
        if len(found) > MOST_IMAGES:
            raise BadCell(f"expected at most {MOST_IMAGES} addresses, found {len(found):,}")
        return list(dict.fromkeys(found))

    return parse


def _checked(parse: Parse) -> Parse:
    """Return what checks a cell and keeps its text, which is read again when it is written."""

    def check(cell: str) -> str:
        try:
            parse(cell)
        except ValueError as error:
            raise BadCell(str(error)) from None
        return cell.strip()

    return check


def _read(parse: Parse) -> Parse:
    """Return what reads a cell and says of any value that is wrong that the cell is."""

    def read(cell: str) -> object:
        try:
            return parse(cell)
        except ValueError as error:
            raise BadCell(str(error)) from None

    return read


def _first(parse: Parse) -> Parse:
    return lambda cell: parse(cell.partition(",")[0])


def _unless_blank(parse: Parse) -> Parse:
    return lambda cell: parse(cell) if cell.strip() else None
