"""Which arm, shadow or challenger of a plan is better, once labels are known."""
