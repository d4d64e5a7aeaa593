"""Files that spreadsheets write and read: CSV in and out, XLSX out. No Django here."""
