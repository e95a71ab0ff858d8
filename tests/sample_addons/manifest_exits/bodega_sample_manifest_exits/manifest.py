"""A manifest module that ends the process that imports it."""

import sys

sys.exit("this addon has had enough")
