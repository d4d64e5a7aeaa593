"""What a route may hold."""

from django.urls.converters import StringConverter

from predictor.artifacts.names import NAME_PATTERN, RESERVED_MODEL_NAMES


class ModelNameConverter(StringConverter):
    """Matches nothing that could not be a model's name, so odd paths are plain 404s."""

    regex = NAME_PATTERN


class PageNameConverter(ModelNameConverter):
    """A model's name at the beginning of a path, where the server's own names are no model's."""

    def to_python(self, value: str) -> str:
        """The name. Raises ValueError, so that no route matches, for one of the server's own."""
        if value in RESERVED_MODEL_NAMES:
            raise ValueError(value)
        return value
