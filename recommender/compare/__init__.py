"""Lists of films side by side for one viewer: made, measured, compared and voted on."""
