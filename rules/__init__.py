"""The rules: one module each, loaded by name. Installed as `leaklint.rules`."""
