"""What a route may hold."""

from django.urls.converters import StringConverter

from predictor.artifacts.names import NAME_PATTERN


class ModelNameConverter(StringConverter):
    """Matches nothing that could not be a model's name, so odd paths are plain 404s."""

    regex = NAME_PATTERN
