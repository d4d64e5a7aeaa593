"""Translates the server's sentences into the page's language.

Layers far below any page write these sentences in English, and the API returns them so. This
module recognises them by their form. Filled-in parts stay unchanged, unless they are the server's
words too. A sentence that is not listed here is shown in English.
"""

import re
from typing import Any

from django.utils.translation import gettext, gettext_noop

from predictor.artifacts.contract import Feature
from predictor.artifacts.errors import FieldError
from predictor.artifacts.kinds import UNKNOWN_WORDS, unknown_word

# Sentences with more words first, since a placeholder matches any text.
_FORMS = (
    gettext_noop("this field is required"),
    gettext_noop("there is no such field; did you mean %(guess)s?"),
    gettext_noop("there is no such field"),
    gettext_noop("there is no such flag"),
    gettext_noop("the header has no such column"),
    gettext_noop("%(label)s is not a known label; did you mean %(guess)s?"),
    gettext_noop(
        "%(label)s is not a known label; %(other)s is the label for what the model does not know"
    ),
    gettext_noop("%(label)s is not a known label"),
    gettext_noop("in the list: %(sentence)s"),
    gettext_noop("expected %(span)s, not %(value)s; did you mean %(guess)s?"),
    gettext_noop("expected %(span)s; this number is not finite or is too large"),
    gettext_noop("expected %(span)s; this number is too large"),
    gettext_noop("expected %(span)s, without control characters"),
    gettext_noop("expected %(span)s, not %(value)s"),
    gettext_noop("expected a label of at most %(most)s printable characters"),
    gettext_noop("expected an object with %(names)s"),
    gettext_noop("rows and columns must be two features"),
    gettext_noop("%(height)s by %(width)s is more than %(most)s cells"),
    gettext_noop(
        "name a feature to compare: none of this model has a list of values or a known range"
    ),
    gettext_noop("name a feature to compare: %(names)s"),
    gettext_noop(
        "no model is installed in %(folder)s; train one (scripts/run does) or fetch one "
        "(the command fetch_model)"
    ),
    gettext_noop("there is no model %(name)s; did you mean %(guess)s?"),
    gettext_noop("there is no model %(name)s"),
    gettext_noop("the model %(name)s is being examined or loaded; try again in a moment"),
    gettext_noop("the model did not answer within %(seconds)s s"),
    gettext_noop("the model is too slow to be explained within %(seconds)s s"),
    gettext_noop("other answers are being explained; try again"),
    gettext_noop("a case that the explanation needs has no answer: %(sentence)s"),
    gettext_noop("it gives every class the probability 0"),
    gettext_noop("its score is not a finite number"),
    gettext_noop("the model's process ended while it answered; try later"),
    gettext_noop("the model gave no usable score for this request"),
    gettext_noop("the model cannot answer these values: %(sentence)s"),
    gettext_noop("the database does not answer now; try later"),
    gettext_noop("the database cannot be asked which version is active"),
    gettext_noop("model %(name)s has no version in %(folder)s"),
    gettext_noop("the prediction log cannot be written, so no prediction is answered; try later"),
    gettext_noop("there is no prediction %(id)s in the database (or not yet)"),
    gettext_noop("at most %(rate)s; try again in %(wait)s s"),
    gettext_noop("the body has %(length)s bytes; send at most %(most)s"),
    gettext_noop("the note is empty"),
    gettext_noop("a note has at most %(most)s characters; this has %(count)s"),
    gettext_noop("this case has %(most)s notes already"),
    gettext_noop("the CSV has more than %(most)s rows; send it in parts"),
    gettext_noop("the CSV has a header but no rows"),
    gettext_noop("the CSV is empty; its first row must be a header"),
    gettext_noop("the CSV's first row is empty; it must name the columns"),
    gettext_noop("the CSV cannot be read at line %(line)s: %(sentence)s"),
    gettext_noop("a quote opens there and is never closed"),
    gettext_noop("a quote within a quoted cell must be written twice"),
    gettext_noop("a NUL character, as in UTF-16 without a byte order mark"),
    gettext_noop("a cell has more than %(most)s characters"),
    gettext_noop("the CSV is not %(coding)s: line %(line)s cannot be read"),
    gettext_noop("the column %(name)s appears twice in the header"),
    gettext_noop("the column %(name)s would be overwritten"),
    gettext_noop("row %(number)s has %(cells)s cells, the header has %(width)s"),
    gettext_noop("the file is a workbook; save it as CSV"),
    gettext_noop("the file is not an XLSX workbook; save it as CSV or XLSX"),
    gettext_noop("the workbook is damaged or locked; save it as CSV"),
    gettext_noop("all sheets of the workbook are empty"),
    gettext_noop("the workbook links to other files or holds a program (%(part)s); save it as CSV"),
    gettext_noop("the workbook links to other files; save it as CSV"),
    gettext_noop("the workbook has too many parts; save it as CSV"),
    gettext_noop("the workbook has too many styles; save it as CSV"),
    gettext_noop("the workbook has too many texts; save it as CSV"),
    gettext_noop("the workbook has more than %(most)s cells; send it in parts"),
    gettext_noop("the workbook has no sheet"),
    gettext_noop("a sheet that the workbook lists is missing"),
    gettext_noop("%(part)s in the workbook is not XML: %(why)s"),
    gettext_noop("a cell of the workbook has more than %(most)s characters"),
    gettext_noop("row %(number)s of the workbook is out of order"),
    gettext_noop("cell %(place)s of the workbook is out of order"),
    gettext_noop("cell %(place)s refers to a text that does not exist"),
    gettext_noop("cell %(place)s is not a number: %(text)s"),
    gettext_noop("the workbook defines entities of its own; save it as CSV"),
    gettext_noop("the workbook unpacks to more than %(most)s MB; send it in parts, or as CSV"),
    gettext_noop("cell %(place)s holds a formula; save its values only"),
    gettext_noop("cell %(place)s holds the error %(error)s"),
    # sentences of an attribution
    gettext_noop("by importance over all cases"),
    gettext_noop("as the model's author states it"),
    gettext_noop("the greatest part in this answer first"),
    gettext_noop("the first %(count)s cases the version was asked"),
    gettext_noop("%(sentence)s; always the same for %(names)s, of which no bounds are known"),
    gettext_noop("%(sentence)s; every possible value counts the same for %(names)s"),
    gettext_noop("averages over the shares of the training data"),
    gettext_noop("averages in which every possible value counts the same"),
)
# Parts of these: the allowed values, and the value that was sent.
_PARTS = (
    gettext_noop("a number from %(low)s to %(high)s"),
    gettext_noop("a number, %(low)s or more"),
    gettext_noop("a number, %(high)s or less"),
    gettext_noop("a number"),
    gettext_noop("a whole number from %(low)s to %(high)s"),
    gettext_noop("a whole number, %(low)s or more"),
    gettext_noop("a whole number, %(high)s or less"),
    gettext_noop("a whole number"),
    gettext_noop("a list of %(size)s numbers"),
    gettext_noop("a date and time such as %(example)s, from %(low)s to %(high)s"),
    gettext_noop("a date and time such as %(example)s, %(low)s or later"),
    gettext_noop("a date and time such as %(example)s, %(high)s or earlier"),
    gettext_noop("a date and time such as %(example)s"),
    gettext_noop("a date such as %(example)s, from %(low)s to %(high)s"),
    gettext_noop("a date such as %(example)s, %(low)s or later"),
    gettext_noop("a date such as %(example)s, %(high)s or earlier"),
    gettext_noop("a date such as %(example)s"),
    gettext_noop("text of at most %(most)s characters"),
    gettext_noop("a label in quotes"),
    gettext_noop("true or false"),
    gettext_noop("the text %(text)s"),
    gettext_noop("the number %(number)s"),
    gettext_noop("a list"),
    gettext_noop("an object"),
    gettext_noop("%(count)s requests a second"),
    gettext_noop("%(count)s requests a minute"),
    gettext_noop("%(count)s requests a hour"),
    gettext_noop("%(count)s requests a day"),
)
_WORDS = (gettext_noop("unknown"), gettext_noop("no value"), gettext_noop("value missing"))
_ROW = gettext_noop("row %(number)s: %(field)s")
_OURS = {"span", "value", "sentence", "rate"}  # placeholders that hold words of the server


def _pattern(form: str) -> re.Pattern[str]:
    literal = re.escape(form)
    return re.compile(re.sub(r"%\\\((\w+)\\\)s", r"(?P<\1>.+?)", literal), re.DOTALL)


_KNOWN = [(form, _pattern(form)) for form in _FORMS]
_KNOWN_PARTS = [(form, _pattern(form)) for form in _PARTS]
_ROW_PATTERN = re.compile(r"row (?P<number>[\d,]+): (?P<field>.*)", re.DOTALL)


def in_language(sentence: str) -> str:
    """The server's ``sentence`` in the page's language."""
    return _translated(sentence, _KNOWN)


def span_in_language(span: str) -> str:
    """A feature's allowed values (``Feature.span``) in the page's language."""
    return _translated(span, _KNOWN_PARTS)


def error_in_language(error: FieldError) -> FieldError:
    """A field's error in the page's language, with its row if it has one."""
    row = _ROW_PATTERN.fullmatch(error.field)
    field = gettext(_ROW) % row.groupdict() if row else error.field
    return FieldError(field, in_language(error.message), error.suggestion)


def unknown_in_language(feature: Feature) -> str:
    """``Feature.unknown`` in the page's language, by a word that is not one of the labels."""
    return unknown_word(feature.names, [gettext(word) for word in UNKNOWN_WORDS])


def choice_in_language(feature: Feature, value: Any, shown: str) -> str:
    """One of the feature's ``choices()`` in the page's language, without the unit."""
    own = isinstance(value, bool) or value is None
    return value_in_language(feature, value) if own else shown


def value_in_language(feature: Feature, value: Any) -> str:
    """``Feature.with_unit`` in the page's language, unless the model has its own words for it."""
    if value is None:
        return unknown_in_language(feature)
    if isinstance(value, bool) and str(value).lower() not in feature.label_titles:
        return gettext("yes") if value else gettext("no")
    return feature.with_unit(value)


def _translated(sentence: str, known: list[tuple[str, re.Pattern[str]]]) -> str:
    for form, pattern in known:
        if found := pattern.fullmatch(sentence):
            holes = {
                name: _translated(text, _KNOWN_PARTS if name != "sentence" else _KNOWN)
                if name in _OURS
                else text
                for name, text in found.groupdict().items()
            }
            return gettext(form) % holes
    return sentence
