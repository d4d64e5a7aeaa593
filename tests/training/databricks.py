"""The parts of Databricks that a notebook uses."""


class Dbutils:
    """Databricks' ``dbutils``: widgets with the parameters of a job, and ``notebook.exit``."""

    def __init__(self, parameters):
        self._given = parameters
        self._values = {}
        self.result = None
        self.widgets = self.notebook = self

    def text(self, name, default):
        assert isinstance(default, str)
        self._values[name] = self._given.get(name, default)

    def get(self, name):
        return self._values[name]

    def exit(self, result):
        self.result = result
