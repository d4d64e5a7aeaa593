"""A CSV's answer over HTTP: streamed, its temporary file closed in the end or on an error."""

from collections.abc import Iterator
from contextlib import ExitStack
from typing import BinaryIO

from django.http import StreamingHttpResponse

from predictor.api.csv_rows import answer_csv, read_csv
from predictor.artifacts.version import ModelVersion
from predictor.http.errors import note
from predictor.predictions.asker import Asker


def stream_csv(model: ModelVersion, file: BinaryIO, asker: Asker) -> StreamingHttpResponse:
    """Answer the rows of ``file``, which is closed when that ends; raises what read_csv raises."""
    with ExitStack() as closing:
        closing.enter_context(file)
        first, pieces = answer_csv(model, read_csv(file, model), asker)
        # the id of the first row stands for the file: the others follow it in the log, in order
        headers = {"X-Prediction-Id": str(first.id), "X-Model-Version": model.version}
        response = StreamingHttpResponse(
            _counted(pieces), content_type="text/csv; charset=utf-8", headers=headers
        )
        response._resource_closers.append(closing.pop_all().close)  # type: ignore[attr-defined] # noqa: SLF001
        return response


def _counted(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """Note what fails once the answer has begun; the connection then ends unfinished."""
    try:
        yield from pieces
    except Exception as error:
        note(error)
        raise
