"""How people are told of alerts, in languages other than English."""
