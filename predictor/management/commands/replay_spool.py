"""Write the spool to the database by hand; the service does the same automatically."""

from typing import Any

from predictor.artifacts.figures import counted
from predictor.log import writer
from predictor.management.server_command import ServerCommand


class Command(ServerCommand):
    """``manage.py replay_spool``."""

    help = "Write predictions that wait in SPOOL_DIR to the database, each exactly once."

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(f"{counted(writer.replay_spool(), 'prediction')} written")
        if held := writer.waiting().files:
            self.stdout.write(
                f"{counted(held, 'file stays', 'files stay')}: processes that run write theirs "
                "themselves; what cannot be read or removed is named above"
            )
