"""The names of forces and types of crime on data.police.uk, with those of other times.

A name that is not here stops a training, so that "Burglary " becomes no crime of its own.
"""

import difflib

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

# Since May 2013; before it the site sorted crimes otherwise.
CRIMES = (
    "Anti-social behaviour", "Bicycle theft", "Burglary", "Criminal damage and arson", "Drugs",
    "Other crime", "Other theft", "Possession of weapons", "Public order", "Robbery",
    "Shoplifting", "Theft from the person", "Vehicle crime", "Violence and sexual offences",
)  # fmt: skip

# A type of another time has no one type of today: it was divided, so its crimes are left out.
FORMER_CRIMES = {
    "Violent crime": "until April 2013, divided since",
    "Public disorder and weapons": "September 2011 to April 2013, divided since",
}


def looks_like(name: str, known: tuple[str, ...]) -> str:
    """The known name that ``name`` may be a slip of; empty when it is like none."""
    plain = {" ".join(each.casefold().split()): each for each in known}
    near = difflib.get_close_matches(" ".join(name.casefold().split()), plain, 1, cutoff=0.75)
    return plain[near[0]] if near else ""
