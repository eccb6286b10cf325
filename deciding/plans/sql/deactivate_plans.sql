UPDATE plans SET active = false WHERE active
