"""The tags of the OpenAPI document; each model also has a tag with its name."""

ANY, PREDICTIONS, MODELS = "Default model", "Predictions", "Models"
DESCRIPTIONS = {
    ANY: "The default model, which needs no name in the path.",
    PREDICTIONS: "What is on record, including what really happened.",
    MODELS: "All models of this server.",
}
