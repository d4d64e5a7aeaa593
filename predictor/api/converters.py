"""What a route may hold."""

from django.urls.converters import StringConverter

from predictor.artifacts.names import NAME_PATTERN, RESERVED_MODEL_NAMES


class ModelNameConverter(StringConverter):
    """Matches nothing that could not be a model's name, so odd paths are plain 404s."""

    regex = NAME_PATTERN

    def to_python(self, value: str) -> str:
        """The name. Raises ValueError, so that no route matches, for one no model may have."""
        if value in RESERVED_MODEL_NAMES:
            raise ValueError(value)
        return value
