"""The rooms of the office, one module each: registries, plan, rule sets, accounts, trail."""
