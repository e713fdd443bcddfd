"""The studies: experiments over all methods, whose results are recorded as JSON."""

from mpinotes.studies import calls, decay, matrices, reconstruction, seeds, shift, table, terms, uncertainty
from mpinotes.studies.profiles import Profile, get_profile
from mpinotes.studies.record import decode_image, load_record, save_record
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
"""By name: profile and the folder of trained methods and checkpoints -> what is recorded."""

__all__ = ["STUDIES", "Profile", "decode_image", "get_profile", "load_record", "save_record", "workplace"]
