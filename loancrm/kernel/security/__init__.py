"""Keys, encryption, masks, rights on single objects, where a request comes from."""
