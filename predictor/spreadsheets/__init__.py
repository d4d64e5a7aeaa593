"""Spreadsheet files: reads and writes CSV and XLSX. Imports nothing of Django."""
