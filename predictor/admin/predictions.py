"""The log in Django admin, for reading only."""

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.core.paginator import Paginator
from django.db.models import QuerySet, TextField
from django.db.models.functions import Cast
from django.http import HttpRequest, HttpResponseBase
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from predictor.admin.export import export
from predictor.admin.filters import (
    AfterFilter,
    BeforeFilter,
    DateFilter,
    FlagFilter,
    Period,
    SourceFilter,
    VersionFilter,
    as_id,
)
from predictor.admin.reading import ReadOnly
from predictor.artifacts.addresses import address_of
from predictor.artifacts.contract import Contract, Feature
from predictor.artifacts.errors import ArtifactError
from predictor.artifacts.files import read_version
from predictor.artifacts.untrusted import sentence
from predictor.log import history
from predictor.log.privacy import is_pseudonym
from predictor.models import Prediction
from predictor.serving.current import serving
from predictor.serving.errors import ModelUnavailable, UnknownModel
from predictor.serving.judging import origin_of

if TYPE_CHECKING:
    PredictionAdminBase = admin.ModelAdmin[Prediction]
else:
    PredictionAdminBase = admin.ModelAdmin


_MOST_SHOWN = 60  # characters of one value in the list
_MOST_WORDS = 8  # of a search; each is looked for by itself, in whatever field


class LogPage(ChangeList):
    """A page of the log by its place, not by its number; nothing is counted."""

    def get_results(self, request: HttpRequest) -> None:
        asked = request.GET
        self.page = history.read_page(
            self.queryset,
            self.list_per_page,
            before=as_id(asked.get("before")),
            after=as_id(asked.get("after")),
            within=_searched(asked),
        )
        self.result_list = self.page.rows
        self.result_count = self.full_result_count = len(self.page.rows)
        self.show_all = self.can_show_all = self.multi_page = False
        self.paginator = Paginator(self.page.rows, self.list_per_page)

    def newer_link(self) -> str:
        """Where newer rows are; empty on the newest page."""
        return self._place(after=self.page.newer) if self.page.newer else ""

    def older_link(self) -> str:
        """Where older rows are; empty on the oldest page."""
        return self._place(before=self.page.older) if self.page.older else ""

    def newest_link(self) -> str:
        return self._place()

    def _place(self, **place: Any) -> str:
        return self.get_query_string(place, ["before", "after"])

    def about(self) -> int | None:
        """About how many rows the whole log has."""
        return history.estimated_size()

    def exports(self) -> list[tuple[str, str]]:
        """(title, address) of the filtered rows as files."""
        query = self._place()
        return [
            (title, reverse("admin:predictor_prediction_export", args=[kind]) + query)
            for kind, title in (("csv", "CSV"), ("jsonl", "JSON Lines"), ("xlsx", "Excel"))
        ]

    def dates(self) -> dict[str, Any]:
        """The date hierarchy: the way up, and the years, months or days inside."""
        period = Period.parse(str(self.filter_params.get("on", [""])[0]))
        spanned = history.span()
        if spanned is None:
            return {}
        oldest, newest = spanned
        if period is None:
            inside = [Period(year) for year in range(oldest.year, newest.year + 1)]
        else:
            inside = list(period.inside())
        shown = [p for p in inside if p.start <= newest and (p.end is None or p.end > oldest)]
        above = [Period(*period.parts[:n]) for n in range(1, len(period.parts))] if period else []
        return {
            "current": period.title if period else "",
            "all": self.get_query_string({}, ["on", "before", "after"]),
            "above": [(p.title, self._on(p)) for p in above],
            "inside": [(p.short_title, self._on(p)) for p in shown],
        }

    def _on(self, period: Period) -> str:
        return self.get_query_string({"on": str(period)}, ["before", "after"])


def _searched(asked: Any) -> QuerySet[Prediction] | None:
    """What the page's filters are looked for in; None where an index serves them all."""
    model, _, version = asked.get("version", "").partition("/")
    flag, search = asked.get("flag", ""), asked.get("q", "").strip()
    if search and _is_key(search):
        return None
    period = Period.parse(asked.get("on", ""))
    rows = Prediction.objects.all()
    if period is not None:
        rows = history.between(rows, period.start, period.end)
    rest = bool(search or asked.get("source") or (model and not version))
    if version:
        return rows.filter(model=model, version=version) if rest or flag else None
    if flag:
        return rows.filter(top_flag=flag) if rest else None
    return rows if rest else None


def _is_key(search: str) -> bool:
    """Whether a search names one id, or a reference that is there."""
    return as_id(search) is not None or Prediction.objects.filter(reference=search).exists()


@admin.register(Prediction)
class PredictionAdmin(ReadOnly, PredictionAdminBase):
    """Filters, search, export and a page per prediction; nothing can be changed."""

    list_display = ("when", "case", "top_flag", "answered_by", "source", "reference", "took")
    list_display_links = ("when", "case")
    list_filter = (
        VersionFilter, FlagFilter, SourceFilter, DateFilter, BeforeFilter, AfterFilter,
    )  # fmt: skip
    list_per_page = 50
    show_facets = admin.ShowFacets.NEVER  # they are counts over the whole log
    sortable_by = ()
    actions = None
    search_fields = ("inputs",)
    search_help_text = (
        "An id or a reference is found wherever it is; any other text is looked for in the inputs, "
        f"{history.WINDOW:,} predictions at a time."
    )
    fields = (
        "question", "answer", "outcome_told", "time", "model", "version", "sha256",
        "comes_from", "took", "source", "caller", "reference", "trace", "id", "inputs", "scores",
    )  # fmt: skip

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return LogPage

    def get_changelist_instance(self, request: HttpRequest) -> ChangeList:
        if "%00" in request.META.get("QUERY_STRING", ""):  # PostgreSQL refuses to look for it
            asked = request.GET.copy()
            for name, values in asked.lists():
                asked.setlist(name, [value.replace("\0", "") for value in values])
            request.GET = asked  # type: ignore[assignment] # typed as Django makes it: immutable
        return super().get_changelist_instance(request)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Prediction], search_term: str
    ) -> tuple[QuerySet[Prediction], bool]:
        term = search_term.strip()
        if not term:
            return queryset, False
        if identity := as_id(term):
            return queryset.filter(id=identity), False
        if _is_key(term):
            return queryset.filter(reference=term), False
        found = queryset.alias(text=Cast("inputs", TextField()))
        for word in term.split()[:_MOST_WORDS]:
            found = found.filter(text__icontains=word)
        return found, False

    def get_urls(self) -> list[URLPattern]:
        exporting = path(
            "export/<slug:kind>/",
            self.admin_site.admin_view(self.export),
            name="predictor_prediction_export",
        )
        return [exporting, *super().get_urls()]

    def export(self, request: HttpRequest, kind: str) -> HttpResponseBase:
        return export(self, request, kind)

    @admin.display(description="time")
    def when(self, row: Prediction) -> str:
        return f"{row.time:%Y-%m-%d %H:%M:%S}"

    @admin.display(description="version")
    def answered_by(self, row: Prediction) -> str:
        return f"{row.model} {row.version}"

    @admin.display(description="took")
    def took(self, row: Prediction) -> str:
        return f"{row.duration:.2f} ms"

    @admin.display(description="case")
    def case(self, row: Prediction) -> str:
        return ", ".join(sentence(shown, _MOST_SHOWN) for _, shown in _readable(row))

    @admin.display(description="case")
    def question(self, row: Prediction) -> SafeString:
        lines = format_html_join("", "<tr><th>{}</th><td>{}</td></tr>", _readable(row))
        link = _console_link(row)
        console = (
            format_html('<p><a href="{}">Open it on the console</a></p>', link) if link else ""
        )
        return format_html("<table>{}</table>{}", lines, console)

    @admin.display(description="answer")
    def answer(self, row: Prediction) -> SafeString:
        ranked = sorted(row.scores.items(), key=lambda pair: -pair[1])
        lines = ((flag, f"{score:.4g}", max(0.0, min(1.0, score))) for flag, score in ranked)
        return format_html(
            "<table>{}</table>",
            format_html_join(
                "",
                '<tr><th>{}</th><td>{}</td><td><meter value="{}"></meter></td></tr>',
                lines,
            ),
        )

    @admin.display(description="where the version comes from")
    def comes_from(self, row: Prediction) -> SafeString | str:
        """What the metadata says of the very files that answered, while they are here."""
        try:
            files = read_version(serving().registry.folder(row.model, row.version))
        except ArtifactError:
            return "its files are not here by now"
        if files.fingerprint != row.sha256:
            return "other files have its name by now"
        lines = format_html_join("", "<tr><th>{}</th><td>{}</td></tr>", origin_of(files))
        return format_html("<table>{}</table>", lines)

    @admin.display(description="what happened")
    def outcome_told(self, row: Prediction) -> str:
        outcome = getattr(row, "outcome", None)
        return f"{outcome.flag} (told {outcome.time:%Y-%m-%d %H:%M})" if outcome else "not told yet"


def _contract(row: Prediction) -> Contract | None:
    try:
        return serving().active(row.model).contract
    except (ModelUnavailable, UnknownModel):
        return None


def _readable(row: Prediction) -> list[tuple[str, str]]:
    """(title, value) as people read them, where the model's active version still has the field."""
    contract = _contract(row)
    features = contract.features if contract else ()
    known = [
        (f.title, _kept(f, row.inputs[f.name])) for f in features if f.name in row.inputs
    ]  # in the model's order, which PostgreSQL's JSON does not keep
    names = {feature.name for feature in features}
    return known + [(name, str(value)) for name, value in row.inputs.items() if name not in names]


def _kept(feature: Feature, value: Any) -> str:
    return str(value) if is_pseudonym(value) else feature.with_unit(value)


def _console_link(row: Prediction) -> str:
    contract = _contract(row)
    if contract is None:
        return ""
    kept = ((f.name, row.inputs[f.name]) for f in contract.features if f.name in row.inputs)
    case = {name: value for name, value in kept if not is_pseudonym(value)}
    return f"{reverse('model-console', args=[row.model])}?{address_of(case)}"
