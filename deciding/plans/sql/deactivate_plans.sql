-- Leave no plan active.
UPDATE plans SET active = false WHERE active
