"""Templates of the console; Jinja2 reads them."""
