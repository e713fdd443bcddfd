"""The studies: experiments over all methods, and what is recorded of them."""

from mpinotes.studies.decay import SCHEDULES
from mpinotes.studies.networks import announce, get_trained
from mpinotes.studies.profiles import PROFILES, Profile, get_profile
from mpinotes.studies.reconstruction import anchor_pixels
from mpinotes.studies.record import Picture, Record, Row, Series, TrainingLog
from mpinotes.studies.record_file import RECORDS, load_record, save_record
from mpinotes.studies.run import STUDIES, run_study
from mpinotes.studies.table import PAPER_TABLE
from mpinotes.studies.training import finish, prepare, train_method
from mpinotes.studies.trainings import train_all
from mpinotes.studies.workplace import workplace

__all__ = [
    "PAPER_TABLE",
    "PROFILES",
    "RECORDS",
    "SCHEDULES",
    "STUDIES",
    "Picture",
    "Profile",
    "Record",
    "Row",
    "Series",
    "TrainingLog",
    "anchor_pixels",
    "announce",
    "finish",
    "get_profile",
    "get_trained",
    "load_record",
    "prepare",
    "run_study",
    "save_record",
    "train_all",
    "train_method",
    "workplace",
]
