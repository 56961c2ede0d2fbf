"""From the cells of a file to a checked row: mappings, cells, repairs."""
