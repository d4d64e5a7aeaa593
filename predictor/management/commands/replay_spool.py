"""Write the spool to the database by hand; the service does the same by itself."""

from pathlib import Path
from typing import Any

from django.conf import settings

from predictor.log.writer.replay import replay
from predictor.log.writer.spool import Spool
from predictor.log.writer.store import connect_store
from predictor.management.server_command import ServerCommand


class Command(ServerCommand):
    """``manage.py replay_spool``."""

    help = "Write predictions that wait in SPOOL_DIR to the database, each exactly once."

    def handle(self, *args: Any, **options: Any) -> None:
        spool = Spool(Path(settings.SPOOL_DIR))
        store = connect_store()
        try:
            count = replay(spool, store)
        finally:
            store.close()
        self.stdout.write(f"{count:,} predictions written")
        if held := len(spool.files()):
            self.stdout.write(
                f"{held} files stay: processes that run write theirs themselves; "
                "what cannot be read or removed is named above"
            )
