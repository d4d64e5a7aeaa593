"""Django admin, one module per thing an administrator looks at."""

from predictor.admin import activations, outcomes, predictions, record

__all__ = ["activations", "outcomes", "predictions", "record"]
