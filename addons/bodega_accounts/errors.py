"""The problems of accounts."""

from bodega_sdk.errors import Unauthenticated


class SecondFactorRequired(Unauthenticated):
    """The password is right; the account wants a code of its second factor as well."""

    code, title = "second-factor-required", "A code is needed as well"
