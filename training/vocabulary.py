"""The names of forces and types of crime on data.police.uk, with earlier ones.

An unknown name stops a training, so that "Burglary " does not become a separate type.
"""

import difflib
from dataclasses import dataclass, field

from .figures import Cell, Figures

FORCES = (
    "Avon and Somerset Constabulary", "Bedfordshire Police", "British Transport Police",
    "Cambridgeshire Constabulary", "Cheshire Constabulary", "City of London Police",
    "Cleveland Police", "Cumbria Constabulary", "Derbyshire Constabulary",
    "Devon & Cornwall Police", "Dorset Police", "Durham Constabulary", "Dyfed-Powys Police",
    "Essex Police", "Gloucestershire Constabulary", "Greater Manchester Police", "Gwent Police",
    "Hampshire Constabulary", "Hertfordshire Constabulary", "Humberside Police", "Kent Police",
    "Lancashire Constabulary", "Leicestershire Police", "Lincolnshire Police",
    "Merseyside Police", "Metropolitan Police Service", "Norfolk Constabulary",
    "North Wales Police", "North Yorkshire Police", "Northamptonshire Police",
    "Northumbria Police", "Nottinghamshire Police", "Police Service of Northern Ireland",
    "South Wales Police", "South Yorkshire Police", "Staffordshire Police",
    "Suffolk Constabulary", "Surrey Police", "Sussex Police", "Thames Valley Police",
    "Warwickshire Police", "West Mercia Police", "West Midlands Police",
    "West Yorkshire Police", "Wiltshire Police",
)  # fmt: skip

RENAMED_FORCES = {
    "Devon and Cornwall Constabulary": "Devon & Cornwall Police",
    "Devon and Cornwall Police": "Devon & Cornwall Police",
    "Hampshire and Isle of Wight Constabulary": "Hampshire Constabulary",
    "Metropolitan Police": "Metropolitan Police Service",
}

# Since May 2013; before, the site had other types.
CRIMES = (
    "Anti-social behaviour", "Bicycle theft", "Burglary", "Criminal damage and arson", "Drugs",
    "Other crime", "Other theft", "Possession of weapons", "Public order", "Robbery",
    "Shoplifting", "Theft from the person", "Vehicle crime", "Violence and sexual offences",
)  # fmt: skip

# An earlier type has no single type of today: it was divided, so its crimes are left out.
FORMER_CRIMES = {
    "Violent crime": "until April 2013, divided since",
    "Public disorder and weapons": "September 2011 to April 2013, divided since",
}


@dataclass(frozen=True)
class Named:
    """Figures under the names of today, and the names that differ."""

    figures: dict[Cell, int] = field(default_factory=dict)
    unknown: dict[str, str] = field(default_factory=dict)  # name → a sentence; kept in figures
    renamed: dict[str, str] = field(default_factory=dict)  # force → its name today
    former: dict[str, set[str]] = field(default_factory=dict)  # type of crime left out → months


def named_today(figures: Figures) -> Named:
    """``figures`` with forces renamed, and without earlier types of crime."""
    named = Named()
    for cell, count in figures.items():
        force = RENAMED_FORCES.get(cell.force, cell.force)
        if force != cell.force:
            named.renamed[cell.force] = force
        if force not in FORCES:
            named.unknown[force] = _unknown(force, FORCES, "force", cell.month)
        if cell.crime in FORMER_CRIMES:
            named.former.setdefault(cell.crime, set()).add(cell.month)
            continue
        if cell.crime not in CRIMES:
            named.unknown[cell.crime] = _unknown(cell.crime, CRIMES, "type of crime", cell.month)
        key = cell._replace(force=force)
        named.figures[key] = named.figures.get(key, 0) + count
    return named


def _unknown(name: str, known: tuple[str, ...], what: str, month: str) -> str:
    near = looks_like(name, known)
    hint = f"it looks like {near!r}" if near else "add it to training/vocabulary.py if it is right"
    return f"{name!r} ({month}) is no {what} of data.police.uk; {hint}"


_TITLES = {"police", "constabulary", "service"}  # the last word of half of the forces' names


def looks_like(name: str, known: tuple[str, ...]) -> str:
    """The known name of which ``name`` may be a misspelling; empty when it is like none."""
    for plainly in (_core, _plain):
        plain = {plainly(each): each for each in known}
        near = difflib.get_close_matches(plainly(name), plain, 1, cutoff=0.75)
        if near:
            return plain[near[0]]
    return ""


def _plain(name: str) -> str:
    return " ".join(name.casefold().split())


def _core(name: str) -> str:
    """The name without titles: "Kent Constabulary" is nearer to Kent Police than to Suffolk."""
    words = _plain(name).split()
    return " ".join(word for word in words if word not in _TITLES) or " ".join(words)
