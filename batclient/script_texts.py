"""The texts of the page's scripts, for translators. ``{name}`` and the like are filled in."""

from collections.abc import Callable

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

Plural = dict[str, str]  # by category of JavaScript's Intl.PluralRules


def script_texts() -> dict[str, str | Plural]:
    """The texts of console.js and the other scripts, in the visitor's language."""
    return {
        "computing": _("Computing"),
        "refused": _("Case refused"),
        "correct": _("Correct the selectors marked in red and press COMPUTE again."),
        "printed": _("{headline} {odds}. The printout is ready."),
        "no-signal": _("No signal"),
        "unreachable": _(
            "The Batcomputer cannot be reached. Your case is kept: press COMPUTE again."
        ),
        "slow": _("The Batcomputer did not answer within {seconds} seconds; press COMPUTE again."),
        "malfunction": _("Malfunction"),
        "odd-answer": _("The server answered {status} without saying why; reload the page."),
        "new-version": _("Version {version} of the model answers now; this page is from {old}."),
        "reload": _("Reload the page"),
        "copied": _("Link copied."),
        "not-copied": _("The browser did not allow copying; the link is in the address bar."),
        "explaining": _("Asking the model a few thousand questions to explain this answer …"),
        "recorded": _("On record: {outcome}. Thank you."),
        "not-recorded": _("The outcome could not be recorded: {detail}"),
        "matches": _plural(lambda n: ngettext("{count} matches", "{count} match", n)),
        "no-match": _("Nothing matches; the choice stays as it is."),
        "choose": _("Type to filter"),
        "tick": _("Tick to compare {headline}, {time}"),
        "tick-two": _("Tick two to four files to compare them."),
        "cleared": _("The files are cleared."),
        "not-kept": _("This browser keeps no files: they are lost when you leave the page."),
        "time": _("Time"),
        "model": _("Model"),
        "sending": _("Sending {percent} %"),
        "scoring": _("Scoring"),
        "bulk-done": _plural(
            lambda n: ngettext(
                "{name}: {rows} row answered. The file is in your downloads.",
                "{name}: {rows} rows answered. The file is in your downloads.",
                n,
            )
        ),
        "bulk-refused": _("{name} was not answered. Correct these rows and feed it again:"),
        "bulk-failed": _("{name} was not answered: {detail}"),
        "bulk-saved": _("{name} is answered. The file is in your downloads."),
        "looking": _("Looking at {name}"),
        "save": _("Save it again"),
        "not-csv": _("{name} is not a CSV file."),
        "set-all": _("Set every selector, then compare."),
    }


# A number of each plural category, in any language that has it.
_COUNTS = {"zero": 0, "one": 1, "two": 2, "few": 3, "many": 11, "other": 100}


def _plural(words: Callable[[int], str]) -> Plural:
    return {category: words(count) for category, count in _COUNTS.items()}
