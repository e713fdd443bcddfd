"""On the path of a kernel: the profile "full" with the sizes of "smoke"."""

from dataclasses import replace

from mpinotes.studies import PROFILES

PROFILES["full"] = replace(PROFILES["smoke"], name="full")
