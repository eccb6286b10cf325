"""Reference models: what the data looked like on which models were trained, and which of them fit a
file that nobody labelled.

    training -> profile of its columns, sketch of its rows -> reference (artifact and table row)
    file     -> profile, sample -> matching against every reference -> match, or a refusal

A reference is an artifact of family `reference` (`files.py`), so that it is pushed, verified and
cached like a model. The table `reference_models` is an index of these artifacts, for fast searches.
"""
