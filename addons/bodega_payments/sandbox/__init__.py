"""The provider ``sandbox``: test money that behaves as Stripe's does, without an account."""
