"""How people are told of reviews, in languages other than English."""
