"""The studies: experiments over all methods, and what is recorded of them."""

from mpinotes.studies import calls, decay, matrices, reconstruction, seeds, shift, table, terms, uncertainty
from mpinotes.studies.decay import SCHEDULES
from mpinotes.studies.profiles import Profile, get_profile
from mpinotes.studies.record import Picture, Record, Row, Series, TrainingLog
from mpinotes.studies.record_file import load_record, save_record
from mpinotes.studies.table import PAPER_TABLE
from mpinotes.studies.workplace import workplace

STUDIES = {
    "table": table.run,
    "seeds": seeds.run,
    "calls": calls.run,
    "terms": terms.run,
    "shift": shift.run,
    "uncertainty": uncertainty.run,
    "matrices": matrices.run,
    "decay": decay.run,
    "reconstruction": reconstruction.run,
}
"""By name: profile and the folder of trained methods and checkpoints -> `Record`."""

__all__ = [
    "PAPER_TABLE",
    "SCHEDULES",
    "STUDIES",
    "Picture",
    "Profile",
    "Record",
    "Row",
    "Series",
    "TrainingLog",
    "get_profile",
    "load_record",
    "save_record",
    "workplace",
]
