"""A client for Parley chat servers."""
from .api import Api, ApiError
from .client import Client
from .feed import Ended
from .outbox import Refused
from .room import Room

__all__ = ["Api", "ApiError", "Client", "Ended", "Refused", "Room"]
