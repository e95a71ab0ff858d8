"""Looking up secrets in the folder."""

from pathlib import Path

from bodega_sdk import setting

#: The names that were looked up, for tests to count.
looked_up: list[str] = []


class VaultSealed(Exception):
    """The vault does not open."""


def look_up(name: str) -> str | None:
    """Return what the vault has for a setting, None when it has nothing.

    Raises:
        VaultSealed: the pass phrase is not the one that is written in the folder.
    """
    looked_up.append(name)
    folder = Path(setting("vault.folder"))
    lock, phrase = folder / "lock", setting("vault.pass_phrase")
    if lock.exists() and lock.read_text() != phrase:
        raise VaultSealed(f"{phrase} does not open {folder}")
    file = folder / name
    return file.read_text() if file.is_file() else None
