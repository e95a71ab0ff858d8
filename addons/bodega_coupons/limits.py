"""How often one may ask what codes do.

Codes that nobody knows are counted by orders, carts included; these are all questions, so that
nobody learns from many which addresses have used a code.
"""

from bodega_sdk import RateLimit, network_of

#: Questions from one network.
QUESTIONS = RateLimit("coupons.questions", 60, 300)


def count_question(address: str) -> None:
    """Count a question.

    Raises:
        TooManyRequests: there were too many.
    """
    QUESTIONS.hit(network_of(address))
