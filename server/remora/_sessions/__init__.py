"""Who is connected: the door, one session a client, and what all sessions share."""
