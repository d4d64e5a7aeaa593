"""The sides of the comparison."""

from benchmarks.sides.batcomputer import (
    Batcomputer,
    Canary,
    FullLog,
    Granian,
    Hello,
    ManyModels,
    OurHello,
)
from benchmarks.sides.others import (
    BentoML,
    LitServe,
    MLflow,
    MLServer,
    TableFastAPI,
    UsualFastAPI,
)
from benchmarks.sides.side import CONNECTIONS, Place, Side

_ARRAYS = (1, 4, 32)  # programs that send arrays are few

SIDES: tuple[Side, ...] = (
    Hello("hello", "bare WSGI hello"),
    OurHello("our-hello", "bare WSGI hello, this project's worker"),
    TableFastAPI("table-fastapi", "FastAPI, precomputed table, no log"),
    Batcomputer("off", "log off", settings={"PREDICTION_LOG": "off"}),
    Batcomputer("sqlite", "log required, SQLite"),
    Canary("canary", "log required, SQLite, a candidate tried by 5 %"),
    Batcomputer("postgres", "log required, PostgreSQL", database="postgres"),
    Batcomputer("no-table", "log required, SQLite, no table", settings={"TABLE_CELLS": "0"}),
    FullLog("million", "log required, SQLite, 1,000,000 rows on record"),
    ManyModels("twenty", "log required, SQLite, 20 models loaded"),
    Granian("granian-off", "log off, under Granian", settings={"PREDICTION_LOG": "off"}),
    Granian("granian", "log required, SQLite, under Granian"),
    UsualFastAPI("fastapi", "FastAPI, predict_proba per request, no log"),
    MLServer("mlserver", "MLServer, no log"),
    BentoML("bentoml", "BentoML, no log"),
    MLflow("mlflow", "mlflow models serve, no log"),
    LitServe("litserve", "LitServe, no log"),
    Batcomputer("weather", "continuous features, log required", model="weather"),
    UsualFastAPI("fastapi-weather", "continuous features, FastAPI, no log", model="weather"),
    Batcomputer("hundred", "arrays of 100, log required", rows=100),
    UsualFastAPI("fastapi-hundred", "arrays of 100, FastAPI, no log", rows=100),
    Batcomputer("thousand", "arrays of 1,000, log required", rows=1_000, connections=_ARRAYS),
    UsualFastAPI(
        "fastapi-thousand", "arrays of 1,000, FastAPI, no log", rows=1_000, connections=_ARRAYS
    ),
)

__all__ = ["CONNECTIONS", "SIDES", "Place", "Side"]
