"""Named schemas that are the same for every model: the service's answers, and problems."""

from predictor.api.record_schemas import RECORD_SCHEMAS, TEXT_SCHEMA, JsonSchema, closed, ref

_TEXTS: JsonSchema = {"type": "array", "items": TEXT_SCHEMA}
_VERIFIED = closed({
    "verdict": TEXT_SCHEMA | {"enum": ["accepted", "refused"]},
    "reason": TEXT_SCHEMA | {"description": "why it was refused; empty when it was accepted"},
    "checked": TEXT_SCHEMA | {"description": "when, in ISO 8601"},
    "estimator": TEXT_SCHEMA,
    "made_with": {"type": "object", "additionalProperties": TEXT_SCHEMA},
    "running": {"type": "object", "additionalProperties": TEXT_SCHEMA},
    "pairing": _TEXTS | {"description": "class → flag, of a classifier"},
    "found_out": {"type": "object", "additionalProperties": True},
    "notes": _TEXTS,
    "signature": TEXT_SCHEMA,
})  # fmt: skip
_INFO = closed({
    "status": TEXT_SCHEMA | {"enum": ["alive"]},
    "model": TEXT_SCHEMA,
    "version": TEXT_SCHEMA,
    "sha256": TEXT_SCHEMA | {"description": "fingerprint of the version's files"},
    "scores": TEXT_SCHEMA | {"enum": ["probability", "hard", "value"]},
    "confinement": TEXT_SCHEMA,
    "flags": _TEXTS | {"minItems": 1},
    "warnings": _TEXTS,
    "problem": {"type": ["string", "null"], "description": "why a newer version does not answer"},
    "verified": ref("Verified"),
    "metadata": {"type": "object", "additionalProperties": True},
})  # fmt: skip
_MODEL = closed({
    "name": TEXT_SCHEMA,
    "status": TEXT_SCHEMA | {"enum": ["alive", "unavailable"]},
    "version": TEXT_SCHEMA | {"description": "of a model that is alive"},
    "title": TEXT_SCHEMA | {"description": "of a model that is alive"},
    "detail": TEXT_SCHEMA | {"description": "why it is unavailable"},
}, optional=("version", "title", "detail"))  # fmt: skip
_FIELD_PROBLEM: JsonSchema = {
    "type": "object",
    "properties": {
        "field": TEXT_SCHEMA,
        "message": TEXT_SCHEMA,
        "suggestion": {"description": "what was probably meant"},
    },
    "required": ["field", "message"],
}
_PROBLEM: JsonSchema = {
    "type": "object",
    "description": "What went wrong (RFC 9457)",
    "properties": {
        "type": TEXT_SCHEMA,
        "title": TEXT_SCHEMA,
        "status": {"type": "integer"},
        "detail": TEXT_SCHEMA,
        "errors": {"type": "array", "items": ref("FieldProblem")},
    },
    "required": ["title", "status", "detail"],
}
SCHEMAS: dict[str, JsonSchema] = {
    "Problem": _PROBLEM,
    "FieldProblem": _FIELD_PROBLEM,
    "Info": _INFO,
    "Verified": _VERIFIED,
    "Model": _MODEL,
    "Models": {"type": "array", "items": ref("Model")},
    **RECORD_SCHEMAS,
}
