"""The gunicorn worker: receives whole requests, within deadlines and limits, before any work.

gunicorn's own gevent worker waits forever for a client that has sent half a request, and answers
what it cannot parse in HTML. Here every part of a request has a deadline, a body is complete
before Django sees the request (so that a slow client never holds a database connection), and every
error is a problem document.
"""

from .worker import Worker

__all__ = ["Worker"]
