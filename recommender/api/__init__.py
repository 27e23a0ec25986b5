"""The REST API: the front desk over HTTP. Every answer is what the app would show, as JSON."""
