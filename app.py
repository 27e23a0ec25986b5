"""The map of Marquee: which pages there are. Start it with `streamlit run app.py`."""

from pathlib import Path

import streamlit as st

from recommender.ui import router

PAGES = Path(__file__).resolve().parent / "pages"

router.run([
    st.Page(PAGES / "for_you.py", title="For you", icon=":material/local_movies:", default=True),
    st.Page(PAGES / "compare.py", title="Compare", icon=":material/compare_arrows:"),
    st.Page(PAGES / "context.py", title="Context", icon=":material/schedule:"),
    st.Page(PAGES / "taste.py", title="Taste", icon=":material/favorite:"),
    st.Page(PAGES / "evaluation.py", title="Evaluation", icon=":material/monitoring:"),
    st.Page(PAGES / "experiments.py", title="Experiments", icon=":material/science:"),
    st.Page(PAGES / "system.py", title="System", icon=":material/info:"),
])  # fmt: skip
