"""Answers to requests that may be sent again."""

import peewee

from bodega_sdk import UTCDateTimeField


def up(migrator, db):
    """Create the table."""

    class Answer(peewee.Model):
        id = peewee.CharField(max_length=64, primary_key=True)
        request = peewee.CharField(max_length=64)
        status = peewee.IntegerField()
        answer = peewee.TextField()
        at = UTCDateTimeField(index=True)

        class Meta:
            database = db
            legacy_table_names = False
            table_name = "bodega_answer"

    db.create_tables([Answer])


def down(migrator, db):
    """Drop it."""
    db.execute_sql("DROP TABLE bodega_answer")
