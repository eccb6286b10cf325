-- Let no plan decide.
UPDATE plans SET active = false WHERE active
