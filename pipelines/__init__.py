"""Steps of the pipelines that are programs."""
