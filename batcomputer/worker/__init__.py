"""The gunicorn worker: takes in whole requests, within deadlines and limits, before any work.

gunicorn's own gevent worker waits without end for a client that has sent half a request, and
answers what it cannot parse in HTML. Here every part of a request has a deadline, a body is whole
before Django sees the request (so that a slow client never holds a database connection), and
every refusal is a problem document.
"""

from .worker import Worker

__all__ = ["Worker"]
