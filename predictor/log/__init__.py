"""The prediction log: its writer, and the queries and reports over it."""
