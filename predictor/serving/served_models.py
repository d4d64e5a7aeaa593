"""Which models the settings name: MODELS, DEFAULT_MODEL and MODEL_VERSION."""

from predictor.registry.local import LocalRegistry


class ServedModels:
    """The models to serve, and the versions to which they are pinned."""

    def __init__(
        self, registry: LocalRegistry, only: list[str], preferred: str, pinned: str
    ) -> None:
        self.registry = registry
        self.only = only  # empty: all that are installed
        self.preferred = preferred  # the default model, if it is installed
        self._pins = read_pins(pinned)

    def names(self) -> list[str]:
        """Names of the models that are served, the default model first."""
        known = self.only or self.registry.models()
        return sorted(known, key=lambda name: (name != self.preferred, name))

    def pinned(self, name: str) -> str:
        """The version to which MODEL_VERSION pins this model, or empty."""
        if name not in self._pins and "" in self._pins and self.names()[:1] == [name]:
            return self._pins[""]
        return self._pins.get(name, "")


def read_pins(text: str) -> dict[str, str]:
    """``1.0.0`` pins the default model; ``crime=1.0.0,titanic=2.1.0`` each its own."""
    pins = (part.strip().rpartition("=") for part in text.split(",") if part.strip())
    return {name.strip(): version.strip() for name, _, version in pins}
