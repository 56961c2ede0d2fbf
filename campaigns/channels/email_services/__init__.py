"""E-mail services by their own HTTP interfaces, which django-anymail knows how to speak."""
