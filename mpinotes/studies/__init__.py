"""The studies: experiments over all methods, whose results are recorded as JSON."""

from mpinotes.studies import terms
from mpinotes.studies.record import decode_projection, load_record, save_record

STUDIES = {"terms": terms.run}
"""By name: profile and a folder for checkpoints and trained methods -> what is recorded."""

__all__ = ["STUDIES", "decode_projection", "load_record", "save_record"]
