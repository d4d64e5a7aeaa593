"""The named schemas of records: predictions, reported outcomes, retrainings."""

from typing import Any

from predictor.artifacts.contract import Contract
from predictor.log.reports import MAX_NOTE, MAX_REPORTS, ReportResult
from predictor.predictions.origin import MAX_REFERENCE
from predictor.trials.progress import REPORTED, STATES, TEXTS

JsonSchema = dict[str, Any]

TEXT_SCHEMA: JsonSchema = {"type": "string"}
_ID: JsonSchema = {"type": "string", "format": "uuid"}
_WHEN: JsonSchema = {"type": "string", "format": "date-time"}
_MAYBE: JsonSchema = {"type": ["string", "null"]}
_PERHAPS_WHEN: JsonSchema = _MAYBE | {"format": "date-time"}


def ref(name: str) -> JsonSchema:
    """A reference to the component schema ``name``."""
    return {"$ref": f"#/components/schemas/{name}"}


def closed(properties: JsonSchema, optional: tuple[str, ...] = ()) -> JsonSchema:
    """An object with only these properties; all except ``optional`` are required."""
    return {
        "type": "object",
        "properties": properties,
        "required": [name for name in properties if name not in optional],
        "additionalProperties": False,
    }


_REPORT = closed({
    "id": _ID,
    "reference": TEXT_SCHEMA | {"maxLength": MAX_REFERENCE},
    "outcome": TEXT_SCHEMA | {"description": "a flag, or its title"},
    "time": _WHEN | {"description": "when it happened"},
    "note": TEXT_SCHEMA | {"maxLength": MAX_NOTE},
}, optional=("id", "reference", "time", "note"))  # fmt: skip
_PREDICTION: JsonSchema = {
    "type": "object",
    "description": "A prediction as it is on record",
    "properties": {
        "id": _ID,
        "time": _WHEN,
        "model": TEXT_SCHEMA,
        "version": TEXT_SCHEMA,
        "sha256": TEXT_SCHEMA | {"description": "fingerprint of the version's files"},
        "source": TEXT_SCHEMA,
        "reference": TEXT_SCHEMA,
        "inputs": {"type": "object", "description": "as asked, but for what the log leaves out"},
        "scores": {"type": "object", "additionalProperties": {"type": "number"}},
        "top_flag": TEXT_SCHEMA,
        "outcome": _MAYBE | {"description": "the flag that came true, if it was reported"},
        "outcome_reported": _PERHAPS_WHEN,
        "outcome_time": _PERHAPS_WHEN | {"description": "when it happened, as reported"},
        "outcome_note": TEXT_SCHEMA,
        "earlier_outcomes": {
            "type": "array",
            "items": ref("EarlierOutcome"),
            "description": "given for a single prediction",
        },
        "origin": {
            "type": ["object", "null"],
            "additionalProperties": TEXT_SCHEMA,
            "description": "where the files that answered come from, such as the commit and the "
            "run that trained them; null when they are gone; given for a single prediction",
        },
    },
    "required": ["id", "time", "model", "version", "inputs", "scores", "top_flag", "outcome"],
}
_EARLIER: JsonSchema = {
    "type": "object",
    "description": "What was reported before the outcome that counts",
    "properties": {
        "outcome": TEXT_SCHEMA,
        "reported": _WHEN,
        "time": _PERHAPS_WHEN,
        "note": TEXT_SCHEMA,
    },
    "required": ["outcome", "reported", "time", "note"],
}
RECORD_SCHEMAS: dict[str, JsonSchema] = {
    "Outcome": closed({
        "id": _ID,
        "outcome": TEXT_SCHEMA,
        "top_flag": TEXT_SCHEMA | {"description": "the flag with the highest score"},
        "correct": {"type": "boolean", "description": "whether the two are the same"},
    }),
    "BulkReport": _REPORT
    | {"description": "What came true of the prediction with this id, or this reference"},
    "BulkReports": {
        "type": "array", "minItems": 1, "maxItems": MAX_REPORTS, "items": ref("BulkReport"),
    },
    "BulkResult": closed({
        "result": TEXT_SCHEMA | {"enum": [result.value for result in ReportResult]},
        "id": _ID,
        "detail": TEXT_SCHEMA | {"description": "why it was not accepted"},
    }, optional=("id", "detail")),
    "BulkResults": {"type": "array", "items": ref("BulkResult")},
    "Prediction": _PREDICTION,
    "PredictionPage": {
        "type": "object",
        "properties": {
            "predictions": {"type": "array", "items": ref("Prediction")},
            "next": _MAYBE | {"description": "the cursor of the next page"},
        },
        "required": ["predictions", "next"],
    },
    "EarlierOutcome": _EARLIER,
    "Retraining": closed({
        "id": {"type": "integer"},
        "model": TEXT_SCHEMA,
        "version": TEXT_SCHEMA | {"description": "that no longer serves"},
        "sha256": TEXT_SCHEMA | {"description": "fingerprint of that version's files"},
        "reason": TEXT_SCHEMA,
        "state": TEXT_SCHEMA | {"enum": list(STATES)},
        "asked": _WHEN,
        "sent": _PERHAPS_WHEN,
        "run": TEXT_SCHEMA | {"description": "id or address of the training"},
        "finished": _PERHAPS_WHEN,
        "result": TEXT_SCHEMA | {"description": "the result, or why there is none"},
    }),
    "RetrainingReport": closed({
        "state": TEXT_SCHEMA | {"enum": [str(state) for state in REPORTED]},
        **{name: TEXT_SCHEMA | {"maxLength": most} for name, most in TEXTS.items()},
    }, optional=tuple(TEXTS)),
}  # fmt: skip


def outcome_report(contracts: list[Contract]) -> JsonSchema:
    """The body of an outcome report: a flag of one of the models."""
    flags = list(dict.fromkeys(flag.name for contract in contracts for flag in contract.flags))
    outcome = TEXT_SCHEMA | {
        "description": "a flag of the model that made the prediction; its title is understood, too"
    }
    if flags:
        outcome |= {"enum": flags}
    return closed({"outcome": outcome})
