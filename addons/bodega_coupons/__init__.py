"""Coupons: codes that take something off a purchase."""
