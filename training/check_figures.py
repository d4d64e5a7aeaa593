"""``python -m training.check_figures FIGURES``: what a model would learn from figures.

Checks them by the section ``data`` of a file of rules, before a model is fitted, and compares them
with known figures with ``--against``. Exits with 0, or with 3 when a rule stops them.
"""

import html
import json
import sys
from pathlib import Path

from predictor.artifacts.durable import replace_file
from predictor.evidence.errors import RefusedError

from .ending import one_sentence
from .figures import FiguresError, read_figures
from .figures_report import RULES, Report, data_rules, examined
from .outcome_groups import UnknownOutcome
from .usage import command_line

_PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Figures: {verdict}</title>
<style>
body {{ font: 1rem/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 60rem }}
td, th {{ text-align: left; vertical-align: top; padding: .2rem 1rem .2rem 0 }}
.stop {{ font-weight: bold }}
</style>
<h1>Figures: {verdict}</h1>
<p>{crimes:,} crimes may be learnt from. SHA-256 of the figures: <code>{sha256}</code></p>
<table>
<tr><th>does</th><th>rule</th><th>found</th></tr>
{rows}
</table>
</html>
"""


def as_html(report: Report) -> str:
    """The report as an HTML page."""
    rows = "\n".join(
        f'<tr class="{finding.does}"><td>{finding.does}</td><td>{finding.rule}</td>'
        f"<td>{html.escape(finding.sentence)}</td></tr>"
        for finding in sorted(report.findings, key=lambda each: each.does != "stop")
    )
    return _PAGE.format(
        verdict=verdict_on(report),
        crimes=sum(report.figures.values()),
        sha256=report.sha256,
        rows=rows,
    )


def verdict_on(report: Report) -> str:
    """The verdict in at most three words."""
    if report.stops:
        return "stopped"
    return f"{len(report.findings)} warnings" if report.findings else "nothing strange"


def main(arguments: list[str] | None = None) -> None:
    """The command line."""
    parser = command_line("training.check_figures", __doc__)
    parser.add_argument("figures", type=Path, help="what python -m training.aggregate wrote")
    parser.add_argument("--against", type=Path, metavar="FIGURES", help="known figures")
    parser.add_argument("--rules", type=Path, default=RULES, help="default: %(default)s")
    parser.add_argument("--report", type=Path, help="where to write it, .json or .html")
    options = parser.parse_args(arguments)
    with one_sentence(FiguresError, UnknownOutcome):
        against = read_figures(options.against) if options.against else None
        report = examined(read_figures(options.figures), data_rules(options.rules), against)
        if options.report is not None:
            is_page = options.report.suffix == ".html"
            text = as_html(report) if is_page else json.dumps(report.as_json(), indent=2)
            replace_file(options.report, text.encode())
    for finding in report.findings:
        print(f"{finding.does}: {finding.sentence}")
    print(f"{options.figures}: {verdict_on(report)}")
    if report.stops:
        sys.exit(RefusedError.status)


if __name__ == "__main__":
    main()
