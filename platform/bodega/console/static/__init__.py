"""Files of the console that browsers ask for."""
