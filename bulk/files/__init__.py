"""Files of jobs: what they are, a sample of their rows, and the whole file as parts.

`open_upload` decides by the first bytes what a file is, and refuses what cannot be read as a table.
`sample_upload` takes rows from all over the file. `split_upload` makes parts of it, and keeps rows
that cannot be read apart. Nothing here looks at a file's name to open it, and no message holds a
value of the file.
"""
