"""The database: one layer over SQLite and PostgreSQL, migrations and the outbox."""
