"""What must not be learnt from: columns that tell the label, the future, and copies of the test."""
