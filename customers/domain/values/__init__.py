"""Values about people in normal form: names, numbers, addresses, days, regions."""
