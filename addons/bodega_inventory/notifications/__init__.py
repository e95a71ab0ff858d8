"""How people are told of low stock, in languages other than English."""
