"""The audit log and its head."""

import peewee

from bodega_sdk import UTCDateTimeField


def up(migrator, db):
    """Create the tables; the log begins empty."""

    class Base(peewee.Model):
        class Meta:
            database = db
            legacy_table_names = False

    class Audit(Base):
        seq = peewee.BigIntegerField(primary_key=True)
        at = UTCDateTimeField(index=True)
        actor = peewee.CharField(max_length=200)
        action = peewee.CharField(max_length=100)
        target = peewee.CharField(max_length=200)
        address = peewee.CharField(max_length=64)
        request_id = peewee.CharField(max_length=100)
        details = peewee.TextField()
        previous = peewee.CharField(max_length=64)
        hash = peewee.CharField(max_length=64)

        class Meta:
            table_name = "bodega_audit"
            indexes = (
                (("actor", "seq"), False),
                (("action", "seq"), False),
                (("target", "seq"), False),
            )

    class AuditHead(Base):
        id = peewee.IntegerField(primary_key=True)
        seq = peewee.BigIntegerField()
        hash = peewee.CharField(max_length=64)

        class Meta:
            table_name = "bodega_audit_head"

    db.create_tables([Audit, AuditHead])
    db.execute_sql(f"INSERT INTO bodega_audit_head (id, seq, hash) VALUES (1, 0, '{'0' * 64}')")


def down(migrator, db):
    """Drop them."""
    db.execute_sql("DROP TABLE bodega_audit")
    db.execute_sql("DROP TABLE bodega_audit_head")
