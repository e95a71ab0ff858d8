"""Drawing pictures of products that have none: what the name says, in plain shapes."""

import colorsys
import random
from collections.abc import Callable, Mapping

from PIL import Image, ImageDraw

Colour = tuple[int, int, int]
Draw = Callable[[ImageDraw.ImageDraw, Colour, Colour], None]

#: Pixels of a side; shapes are drawn on a board of 100 by 100.
SIDE = 1000
_UNIT = SIDE // 100
_NAMED: Mapping[str, Colour] = {
    "red": (190, 48, 44), "blue": (44, 84, 158), "green": (54, 122, 78), "black": (38, 38, 42),
    "white": (238, 236, 230), "grey": (134, 138, 142), "gray": (134, 138, 142),
    "yellow": (224, 178, 52), "orange": (214, 118, 42), "pink": (214, 124, 150),
    "purple": (112, 74, 146), "brown": (116, 78, 52), "oak": (176, 132, 84),
    "walnut": (98, 66, 46), "brass": (188, 148, 72), "copper": (178, 104, 70),
    "steel": (150, 158, 166), "linen": (214, 202, 178), "leather": (134, 84, 50),
    "ash": (204, 182, 146), "glass": (142, 182, 186), "cotton": (206, 198, 184),
    "wool": (158, 132, 112), "stoneware": (146, 138, 124), "iron": (58, 58, 62),
    "felt": (122, 126, 134), "canvas": (184, 164, 124), "sand": (210, 190, 154),
    "moss": (98, 110, 70), "teal": (32, 124, 124), "navy": (32, 48, 92), "silver": (180, 184, 190),
}  # fmt: skip


def drawn(name: str) -> Image.Image:
    """Return a picture for a product's name: the same one for the same name."""
    chance = random.Random(name)  # noqa: S311 - nothing is secret here
    words = name.lower().replace("-", " ").split()
    main = _colour(words, chance)
    ground = tuple(round(235 + (side - 128) * 0.08) for side in main)
    made = Image.new("RGB", (SIDE, SIDE), ground)
    board = ImageDraw.Draw(made)
    board.ellipse(_at(18, 82, 82, 92), fill=tuple(side - 28 for side in ground))
    _shape(words, chance)(board, main, _darker(main))
    return made


def _colour(words: list[str], chance: random.Random) -> Colour:
    for word in words:
        if word in _NAMED:
            return _NAMED[word]
    red, green, blue = colorsys.hls_to_rgb(chance.random(), 0.42, 0.45)
    return round(red * 255), round(green * 255), round(blue * 255)


def _darker(colour: Colour) -> Colour:
    red, green, blue = (round(side * 0.68) for side in colour)
    return red, green, blue


def _at(*places: float) -> list[float]:
    return [place * _UNIT for place in places]


def _lamp(board: ImageDraw.ImageDraw, main: Colour, dark: Colour) -> None:
    board.rectangle(_at(48, 44, 52, 84), fill=dark)
    board.ellipse(_at(34, 80, 66, 89), fill=dark)
    board.polygon(_at(38, 16, 62, 16, 76, 48, 24, 48), fill=main)


def _seat(board: ImageDraw.ImageDraw, main: Colour, dark: Colour) -> None:
    for left in (30, 65):
        board.rectangle(_at(left, 58, left + 5, 88), fill=dark)
    board.rounded_rectangle(_at(30, 16, 70, 52), 4 * _UNIT, fill=main)
    board.rounded_rectangle(_at(25, 52, 75, 62), 3 * _UNIT, fill=dark)


def _table(board: ImageDraw.ImageDraw, main: Colour, dark: Colour) -> None:
    for left in (18, 77):
        board.rectangle(_at(left, 46, left + 5, 88), fill=dark)
    board.rounded_rectangle(_at(10, 38, 90, 47), 2 * _UNIT, fill=main)


def _pendant(board: ImageDraw.ImageDraw, main: Colour, dark: Colour) -> None:
    board.rectangle(_at(49, 0, 51, 34), fill=dark)
    board.pieslice(_at(20, 30, 80, 102), 180, 360, fill=main)
    board.ellipse(_at(42, 62, 58, 74), fill=(250, 232, 170))


def _shelf(board: ImageDraw.ImageDraw, main: Colour, dark: Colour) -> None:
    for left in (22, 74):
        board.rectangle(_at(left, 14, left + 4, 88), fill=dark)
    for top in (18, 40, 62, 84):
        board.rectangle(_at(20, top, 80, top + 4), fill=main)


def _knife(board: ImageDraw.ImageDraw, main: Colour, dark: Colour) -> None:
    board.polygon(_at(44, 58, 44, 16, 58, 34, 58, 58), fill=(192, 198, 204))
    board.rounded_rectangle(_at(44, 58, 58, 90), 3 * _UNIT, fill=main)
    board.ellipse(_at(49, 66, 53, 70), fill=dark)


def _sock(board: ImageDraw.ImageDraw, main: Colour, dark: Colour) -> None:
    board.rounded_rectangle(_at(34, 16, 58, 84), 4 * _UNIT, fill=main)
    board.rounded_rectangle(_at(34, 64, 82, 86), 10 * _UNIT, fill=main)
    board.rectangle(_at(34, 16, 58, 24), fill=dark)


def _cup(board: ImageDraw.ImageDraw, main: Colour, dark: Colour) -> None:
    board.arc(_at(58, 42, 84, 72), -100, 100, fill=dark, width=5 * _UNIT)
    board.rounded_rectangle(_at(24, 32, 68, 87), 7 * _UNIT, fill=main)
    board.ellipse(_at(24, 27, 68, 38), fill=dark)


def _bottle(board: ImageDraw.ImageDraw, main: Colour, dark: Colour) -> None:
    board.rectangle(_at(45, 16, 55, 38), fill=dark)
    board.rounded_rectangle(_at(34, 34, 66, 88), 8 * _UNIT, fill=main)
    board.rectangle(_at(34, 54, 66, 72), fill=(244, 242, 236))


def _bag(board: ImageDraw.ImageDraw, main: Colour, dark: Colour) -> None:
    board.arc(_at(34, 14, 66, 58), 180, 360, fill=dark, width=4 * _UNIT)
    board.polygon(_at(24, 38, 76, 38, 84, 88, 16, 88), fill=main)
    board.rectangle(_at(24, 38, 76, 43), fill=dark)


def _shirt(board: ImageDraw.ImageDraw, main: Colour, dark: Colour) -> None:
    board.polygon(_at(32, 20, 68, 20, 90, 40, 78, 52, 70, 45, 70, 88, 30, 88, 30, 45, 22, 52,
                      10, 40), fill=main)  # fmt: skip
    board.pieslice(_at(41, 12, 59, 28), 0, 180, fill=dark)


def _book(board: ImageDraw.ImageDraw, main: Colour, dark: Colour) -> None:
    board.rounded_rectangle(_at(24, 18, 76, 88), 2 * _UNIT, fill=main)
    board.rectangle(_at(24, 18, 32, 88), fill=dark)
    board.rectangle(_at(40, 30, 68, 36), fill=(244, 242, 236))


def _clock(board: ImageDraw.ImageDraw, main: Colour, dark: Colour) -> None:
    board.ellipse(_at(18, 18, 82, 82), fill=main)
    board.ellipse(_at(24, 24, 76, 76), fill=(246, 244, 240))
    board.line(_at(50, 50, 50, 30), fill=dark, width=2 * _UNIT)
    board.line(_at(50, 50, 64, 56), fill=dark, width=2 * _UNIT)


def _plant(board: ImageDraw.ImageDraw, main: Colour, dark: Colour) -> None:
    for left, top in ((26, 24), (44, 14), (56, 28), (36, 34)):
        board.ellipse(_at(left, top, left + 22, top + 34), fill=(66, 120, 70))
    board.polygon(_at(32, 58, 68, 58, 62, 88, 38, 88), fill=main)


def _bowl(board: ImageDraw.ImageDraw, main: Colour, dark: Colour) -> None:
    board.pieslice(_at(14, 10, 86, 88), 0, 180, fill=main)
    board.ellipse(_at(14, 42, 86, 56), fill=dark)


def _box(board: ImageDraw.ImageDraw, main: Colour, dark: Colour) -> None:
    board.polygon(_at(50, 20, 84, 36, 50, 52, 16, 36), fill=main)
    board.polygon(_at(16, 36, 50, 52, 50, 90, 16, 74), fill=dark)
    board.polygon(_at(84, 36, 50, 52, 50, 90, 84, 74), fill=_darker(dark))


_SHAPES: Mapping[Draw, str] = {
    _lamp: "lamp light lantern torch",
    _seat: "chair stool sofa armchair bench seat couch",
    _pendant: "pendant chandelier",
    _shelf: "shelf shelves bookcase rack",
    _knife: "knife knives cleaver spatula",
    _sock: "sock socks stocking",
    _table: "table desk sideboard",
    _cup: "mug cup teapot kettle jug pitcher coffee tea",
    _bottle: "bottle flask carafe vase soap shampoo oil wine thermos",
    _bag: "bag handbag tote backpack basket satchel purse rucksack",
    _shirt: "shirt t-shirt jacket sweater hoodie coat jumper blouse dress cardigan",
    _book: "book notebook journal diary novel planner",
    _clock: "clock watch mirror plate timer",
    _plant: "plant pot planter tree flower fern",
    _bowl: "bowl pan wok dish",
    _box: "box crate chest case set kit",
}  # fmt: skip


def _shape(words: list[str], chance: random.Random) -> Draw:
    """Return what the last telling word of a name looks like; something plain otherwise."""
    for word in reversed(words):
        for draw, known in _SHAPES.items():
            if word in known.split() or word.removesuffix("s") in known.split():
                return draw
    return chance.choice([_bottle, _bowl, _box, _bag])
