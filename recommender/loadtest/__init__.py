"""The REST API under load: how many answers a second, how long they take, by users and by processes that answer."""
