"""The gunicorn worker."""

from .worker import Worker

__all__ = ["Worker"]
