"""What the page's scripts say, for translators. Words such as ``{name}`` are filled in."""

from django.utils.translation import gettext as _


def script_texts() -> dict[str, str]:
    """The words of console.js and its companions, in the visitor's language."""
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
        "new-version": _("Version {version} of the model answers now; this page is of {old}."),
        "reload": _("Reload the page"),
        "copied": _("Link copied."),
        "not-copied": _("The browser did not allow copying; the link is in the address bar."),
        "recorded": _("On record: {outcome}. Thank you."),
        "not-recorded": _("The outcome could not be recorded: {detail}"),
        "matches": _("{count} match"),
        "no-match": _("Nothing matches; the choice stays as it is."),
        "choose": _("Type to filter"),
        "tick": _("Tick to compare {headline}, {time}"),
        "tick-two": _("Tick two to four files to compare them."),
        "cleared": _("The files are cleared."),
        "not-kept": _("This browser does not allow keeping files, so they go with the page."),
        "time": _("Time"),
        "model": _("Model"),
        "sending": _("Sending {percent} %"),
        "scoring": _("Scoring"),
        "bulk-done": _("{name}: {rows} rows answered. The file is in your downloads."),
        "bulk-refused": _("{name} was not answered. Correct these rows and feed it again:"),
        "bulk-failed": _("{name} was not answered: {detail}"),
        "save": _("Save it again"),
        "not-csv": _("{name} is not a CSV file."),
        "set-all": _("Set every selector, then compare."),
    }
