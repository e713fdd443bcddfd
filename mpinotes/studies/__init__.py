"""The studies: experiments over all methods, whose results are recorded as JSON."""

from mpinotes.studies import calls, decay, matrices, reconstruction, seeds, shift, table, terms, uncertainty
from mpinotes.studies.record import decode_image, load_record, save_record

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
"""By name: profile and the folder of trained methods and checkpoints -> what is recorded."""

__all__ = ["STUDIES", "decode_image", "load_record", "save_record"]
