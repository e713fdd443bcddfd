"""The studies: experiments over all methods, whose results are recorded as JSON."""

from mpinotes.studies import calls, shift, table, terms, uncertainty
from mpinotes.studies.record import decode_projection, load_record, save_record

STUDIES = {
    "table": table.run,
    "calls": calls.run,
    "terms": terms.run,
    "shift": shift.run,
    "uncertainty": uncertainty.run,
}
"""By name: profile and the folder of trained methods and checkpoints -> what is recorded."""

__all__ = ["STUDIES", "decode_projection", "load_record", "save_record"]
