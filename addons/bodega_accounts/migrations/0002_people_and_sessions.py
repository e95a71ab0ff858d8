"""Profiles, organizations, sessions, mailed tokens, second factors, API keys and addresses."""

import peewee

from bodega_sdk import UTCDateTimeField


def up(migrator, db):
    """Make the tables, and give accounts their new columns."""

    class Base(peewee.Model):
        class Meta:
            database = db
            legacy_table_names = False

    class Entity(Base):
        id = peewee.UUIDField(primary_key=True)
        created_at = UTCDateTimeField(index=True)
        updated_at = UTCDateTimeField()

    class Organization(Entity):
        name = peewee.CharField(max_length=200, unique=True)
        is_active = peewee.BooleanField()

        class Meta:
            table_name = "accounts_organization"

    db.create_tables([Organization])
    _widen(migrator, Organization)

    class Account(Base):
        id = peewee.UUIDField(primary_key=True)

        class Meta:
            table_name = "accounts_account"

    class Session(Entity):
        account = peewee.ForeignKeyField(Account, on_delete="CASCADE")
        version = peewee.BigIntegerField()
        address = peewee.CharField(max_length=60)
        agent = peewee.CharField(max_length=300)
        expires_at = UTCDateTimeField()
        access_until = UTCDateTimeField()
        ended_at = UTCDateTimeField(null=True)
        end_reason = peewee.CharField(max_length=40)

        class Meta:
            table_name = "accounts_session"

    class RefreshToken(Base):
        digest = peewee.CharField(max_length=64, primary_key=True)
        session = peewee.ForeignKeyField(Session, on_delete="CASCADE")
        expires_at = UTCDateTimeField()
        used_at = UTCDateTimeField(null=True)

        class Meta:
            table_name = "accounts_refresh_token"

    class MailedToken(Base):
        digest = peewee.CharField(max_length=64, primary_key=True)
        account = peewee.ForeignKeyField(Account, on_delete="CASCADE")
        purpose = peewee.CharField(max_length=20)
        email = peewee.CharField(max_length=254)
        data = peewee.JSONField(null=True)
        expires_at = UTCDateTimeField()

        class Meta:
            table_name = "accounts_mailed_token"

    class RecoveryCode(Base):
        digest = peewee.CharField(max_length=64, primary_key=True)
        account = peewee.ForeignKeyField(Account, on_delete="CASCADE")
        used_at = UTCDateTimeField(null=True)

        class Meta:
            table_name = "accounts_recovery_code"

    class ApiKey(Entity):
        account = peewee.ForeignKeyField(Account, on_delete="CASCADE")
        name = peewee.CharField(max_length=200)
        prefix = peewee.CharField(max_length=30)
        digest = peewee.CharField(max_length=64, unique=True)
        scopes = peewee.JSONField()
        expires_at = UTCDateTimeField(null=True)
        last_used_at = UTCDateTimeField(null=True)
        revoked_at = UTCDateTimeField(null=True)
        successor = peewee.UUIDField(null=True)

        class Meta:
            table_name = "accounts_api_key"

    class Address(Entity):
        account = peewee.ForeignKeyField(Account, on_delete="CASCADE")
        kind = peewee.CharField(max_length=10)
        is_default = peewee.BooleanField()
        name = peewee.CharField(max_length=200)
        company = peewee.CharField(max_length=200)
        line1 = peewee.CharField(max_length=200)
        line2 = peewee.CharField(max_length=200)
        city = peewee.CharField(max_length=200)
        region = peewee.CharField(max_length=200)
        postal_code = peewee.CharField(max_length=20)
        country = peewee.CharField(max_length=2)
        phone = peewee.CharField(max_length=40)

        class Meta:
            table_name = "accounts_address"

    db.create_tables([Session, RefreshToken, MailedToken, RecoveryCode, ApiKey, Address])


def _widen(migrator, organization):
    """Whoever has an account already was vouched for by the operator who made it."""
    table, text = "accounts_account", peewee.CharField
    migrator.migrate(
        # Older code goes on writing the name, newer code does not: 0003 drops it.
        migrator.drop_not_null(table, "name"),
        migrator.add_column(table, "first_name", text(max_length=200, default="")),
        migrator.add_column(table, "username", text(max_length=50, null=True, unique=True)),
        migrator.add_column(table, "last_name", text(max_length=200, default="")),
        migrator.add_column(table, "phone", text(max_length=40, default="")),
        migrator.add_column(table, "date_of_birth", peewee.DateField(null=True)),
        migrator.add_column(table, "preferences", peewee.JSONField(null=True)),
        migrator.add_column(table, "avatar", text(max_length=40, default="")),
        migrator.add_column(
            table,
            "organization_id",
            peewee.ForeignKeyField(
                organization, null=True, field=organization.id, on_delete="SET NULL"
            ),
        ),
        migrator.add_column(table, "email_verified_at", UTCDateTimeField(null=True)),
        migrator.add_column(table, "totp_secret", peewee.TextField(default="")),
        migrator.add_column(table, "totp_since", UTCDateTimeField(null=True)),
        migrator.add_column(table, "totp_step", peewee.BigIntegerField(default=0)),
    )
    migrator.database.execute_sql(
        f"UPDATE {table} SET first_name = name, email_verified_at = created_at"
    )


def down(migrator, db):
    """Drop them."""
    tokens = ("recovery_code", "mailed_token", "refresh_token")
    for table in ("address", "api_key", *tokens, "session"):
        db.execute_sql(f"DROP TABLE accounts_{table}")
    columns = (
        "username", "first_name", "last_name", "phone", "date_of_birth", "preferences", "avatar",
        "organization_id", "email_verified_at", "totp_secret", "totp_since", "totp_step",
    )  # fmt: skip
    table = "accounts_account"
    migrator.migrate(
        migrator.drop_index(table, "accounts_account_username"),
        migrator.drop_index(table, "accounts_account_organization_id"),
        *(migrator.drop_column(table, column) for column in columns),
        migrator.add_not_null(table, "name"),
    )
    db.execute_sql("DROP TABLE accounts_organization")
