"""What `levain adopt` runs inside the kernel of a notebook: the trace of a run and what is made of it.

Standard library only, plus pandas, numpy and scikit-learn where the user's environment has them; Python 3.8 and newer.
"""
