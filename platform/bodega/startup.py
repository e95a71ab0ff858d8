"""What a process does once: it makes thousands of objects that stay for as long as it lives.

Looking for garbage among them while they are made takes a sixth of the time of a start, and
later the time of requests.
"""

import gc

#: New objects behind which a starting process looks for garbage after all.
_MANY = 1_000_000
#: And one that has started. Python's 700 is for programs that hold little: a job that holds
#: thousands of rows has them looked through over and over, for a fifth of its time.
OFTEN = 10_000
_usual = gc.get_threshold()


def begin() -> None:
    """Look for garbage next to never, until :func:`settle`; call before the imports."""
    gc.set_threshold(_MANY, *_usual[1:])


def settle() -> None:
    """Look for garbage now and then from now on, but not among what the start made."""
    if gc.get_threshold()[0] == _MANY:
        gc.freeze()
        gc.set_threshold(OFTEN, *_usual[1:])
