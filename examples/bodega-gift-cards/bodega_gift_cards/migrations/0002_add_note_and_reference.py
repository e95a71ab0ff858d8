"""What a card is for, and what a movement is about; 1.0, which serves on, knows neither."""


def up(migrator, db):
    """Add the columns, with a default for those who do not name them."""
    db.execute_sql("ALTER TABLE gift_cards_card ADD COLUMN note VARCHAR(200) NOT NULL DEFAULT ''")
    db.execute_sql(
        "ALTER TABLE gift_cards_movement ADD COLUMN reference VARCHAR(100) NOT NULL DEFAULT ''"
    )


def down(migrator, db):
    """Drop them."""
    db.execute_sql("ALTER TABLE gift_cards_movement DROP COLUMN reference")
    db.execute_sql("ALTER TABLE gift_cards_card DROP COLUMN note")
