"""`pinxit serve` with the engine of `plugins.fault_child`: all but the network is real, and it starts in a second.

`python -m plugins.fault_server`, set up by `PINXIT_…` as the product is.
"""

import os

from gateway.cli.listening import listening
from gateway.cli.serving import serve
from gateway.settings import Settings
from gateway.wiring import Installation
from models import Engine
from models.process.child import EngineLimits
from models.process.engine import EngineProcess

LIMITS = EngineLimits(first_backoff_s=0.05, term_s=0.5)


class FaultInstallation(Installation):
    def engine(self) -> Engine:
        return EngineProcess(
            self.catalogue,
            environment=dict(os.environ),
            limits=LIMITS,
            entry="plugins.fault_child",
            slots=self.settings.slots,
        )


if __name__ == "__main__":
    settings = Settings()
    serve(settings, listening(settings), installing=FaultInstallation)
