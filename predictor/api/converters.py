"""The path converters for model names."""

from django.urls.converters import StringConverter

from predictor.artifacts.names import NAME_PATTERN, RESERVED_MODEL_NAMES


class ModelNameConverter(StringConverter):
    """Matches only possible model names, so other paths are plain 404s."""

    regex = NAME_PATTERN


class PageNameConverter(ModelNameConverter):
    """A model's name at the beginning of a path, where the server has reserved names."""

    def to_python(self, value: str) -> str:
        """The name. Raises ValueError for a reserved name, so that no route matches."""
        if value in RESERVED_MODEL_NAMES:
            raise ValueError(value)
        return value
