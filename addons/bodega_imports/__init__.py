"""Imports: products of other shops and spreadsheets, read from CSV files."""
