-- Deactivate the active plan.
UPDATE plans SET active = false WHERE active
