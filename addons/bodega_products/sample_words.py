"""What sample products are made of: words of the shop, in English and in German."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Shelf:
    """A category at the end of the tree, and what stands in it.

    Args:
        slug, name, name_de: of the category.
        noun, noun_de: what one of its products is called.
        cents: the range of its prices.
        grams: of its weights.
        millimetres: of its largest side.
        materials: keys of :data:`MATERIALS`.
        options: what its variants differ in, name → values.
    """

    slug: str
    name: str
    name_de: str
    noun: str
    noun_de: str
    cents: tuple[int, int]
    grams: tuple[int, int]
    millimetres: tuple[int, int]
    materials: tuple[str, ...]
    options: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


_COLOURS = {"Colour": ("Black", "White", "Sand", "Moss")}
_SIZES = {"Size": ("S", "M", "L", "XL")}
#: English → German.
MATERIALS = {
    "oak": "Eiche", "ash": "Esche", "steel": "Stahl", "brass": "Messing", "glass": "Glas",
    "linen": "Leinen", "cotton": "Baumwolle", "wool": "Wolle", "leather": "Leder",
    "stoneware": "Steinzeug", "cast iron": "Gusseisen", "felt": "Filz", "canvas": "Segeltuch",
}  # fmt: skip
#: Root categories, and what is below them: (slug, name, German name) → shelves.
TREE: dict[tuple[str, str, str], tuple[Shelf, ...]] = {
    ("lighting", "Lighting", "Leuchten"): (
        Shelf("table-lamps", "Table lamps", "Tischleuchten", "Table Lamp", "Tischleuchte",
              (3900, 18900), (800, 3500), (250, 600), ("brass", "glass", "oak"), _COLOURS),
        Shelf("floor-lamps", "Floor lamps", "Stehleuchten", "Floor Lamp", "Stehleuchte",
              (8900, 39900), (3000, 9000), (1200, 1900), ("steel", "brass", "ash")),
        Shelf("pendant-lamps", "Pendant lamps", "Pendelleuchten", "Pendant", "Pendelleuchte",
              (5900, 24900), (700, 4000), (200, 700), ("glass", "linen", "steel"), _COLOURS),
    ),
    ("furniture", "Furniture", "Möbel"): (
        Shelf("chairs", "Chairs", "Stühle", "Chair", "Stuhl",
              (7900, 34900), (3500, 9000), (750, 950), ("oak", "ash", "steel"), _COLOURS),
        Shelf("tables", "Tables", "Tische", "Table", "Tisch",
              (19900, 129900), (18000, 60000), (1200, 2400), ("oak", "ash", "glass")),
        Shelf("shelves", "Shelves", "Regale", "Shelf", "Regal",
              (4900, 49900), (4000, 35000), (600, 2000), ("oak", "ash", "steel")),
    ),
    ("kitchen", "Kitchen", "Küche"): (
        Shelf("mugs", "Mugs", "Becher", "Mug", "Becher",
              (900, 2900), (250, 450), (80, 120), ("stoneware", "glass", "steel"), _COLOURS),
        Shelf("pans", "Pans", "Pfannen", "Pan", "Pfanne",
              (2900, 14900), (900, 3800), (200, 480), ("cast iron", "steel"),
              {"Diameter": ("20 cm", "24 cm", "28 cm")}),
        Shelf("knives", "Knives", "Messer", "Knife", "Messer",
              (1900, 17900), (80, 350), (180, 380), ("steel", "oak")),
    ),
    ("clothing", "Clothing", "Kleidung"): (
        Shelf("t-shirts", "T-shirts", "T-Shirts", "T-Shirt", "T-Shirt",
              (1500, 4900), (120, 260), (600, 800), ("cotton", "linen"), _SIZES),
        Shelf("sweaters", "Sweaters", "Pullover", "Sweater", "Pullover",
              (3900, 15900), (350, 900), (600, 800), ("wool", "cotton"), _SIZES),
        Shelf("socks", "Socks", "Socken", "Socks", "Socken",
              (600, 2400), (40, 120), (200, 450), ("wool", "cotton"),
              {"Size": ("36-38", "39-41", "42-44", "45-47")}),
    ),
    ("bags", "Bags", "Taschen"): (
        Shelf("backpacks", "Backpacks", "Rucksäcke", "Backpack", "Rucksack",
              (4900, 24900), (500, 1900), (350, 700), ("canvas", "leather", "felt"), _COLOURS),
        Shelf("totes", "Totes", "Tragetaschen", "Tote", "Tragetasche",
              (1900, 19900), (150, 900), (300, 500), ("canvas", "leather", "cotton"), _COLOURS),
    ),
}  # fmt: skip
#: Names of series are two of these.
FIRST = ("Al", "Bre", "Cor", "Dal", "El", "Fen", "Ga", "Hol", "Is", "Jun", "Kal", "Lin",
         "Mor", "Nor", "Os", "Pel", "Ri", "Sol", "Tar", "Ven")  # fmt: skip
LAST = ("da", "den", "dis", "ko", "la", "len", "lis", "mo", "na", "ra", "ro", "sa", "to", "va",
        "vik")  # fmt: skip
#: English and German, with places for a product's facts.
SENTENCES = (
    ("Made of {material}, {largest} cm at its longest.",
     "Aus {material_de}, an der längsten Seite {largest} cm."),
    ("At {weight} kg it is made for every day.", "Mit {weight_de} kg für jeden Tag gemacht."),
    ("Every part can be replaced.", "Jedes Teil lässt sich ersetzen."),
    ("It ages well: {material} gets better with use.",
     "Altert schön: {material_de} gewinnt mit der Zeit."),
    ("Ships in a box without plastic.", "Kommt in einem Karton ohne Kunststoff."),
    ("We repair it for {years} years.", "Wir reparieren {years} Jahre lang."),
    ("Designed to be left out in the open.", "Viel zu schön zum Wegräumen."),
)  # fmt: skip
TAGS = ("new", "gift", "handmade", "repairable", "sale")
