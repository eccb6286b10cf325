"""Why a decision is not `approve`, in words."""
