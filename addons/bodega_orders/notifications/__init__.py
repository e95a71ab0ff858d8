"""How people are told of orders, in languages other than English."""
