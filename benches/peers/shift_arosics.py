"""Global co-registration and shift of the later date. `shift_arosics.py before after out.tif`"""
import sys

from arosics import COREG

before, after, out = sys.argv[1:]
found = COREG(before, after, path_out=out, fmt_out="GTIFF", CPUs=2, q=True, progress=False)
found.calculate_spatial_shifts()
found.correct_shifts()
print(found.coreg_info["corrected_shifts_px"])
