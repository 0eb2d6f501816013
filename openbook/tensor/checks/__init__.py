"""Derivatives that check derivatives: differences that know how far they can be trusted, and the report they make."""
