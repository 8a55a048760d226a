"""A client for Parley chat servers."""
from .api import Api, ApiError
from .client import Client
from .room import Ended, Refused, Room

__all__ = ["Api", "ApiError", "Client", "Ended", "Refused", "Room"]
