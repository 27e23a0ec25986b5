"""The only room that imports streamlit: the frame around every page, and what is drawn inside it."""

import os

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_name, "1")  # read by numpy when it loads: one viewer's scores are too small to share between cores
