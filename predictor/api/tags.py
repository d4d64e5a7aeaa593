"""The tags of the OpenAPI document; each model also has a tag with its name."""

ANY, PREDICTIONS, MODELS = "Default model", "Predictions", "Models"
DESCRIPTIONS = {
    ANY: "The model that is asked without a name.",
    PREDICTIONS: "What is on record: what really happened belongs to it.",
    MODELS: "All models of this server.",
}
