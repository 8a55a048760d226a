"""Rooms and messages as the original app has them.  IDS=numbers: with Django's usual keys instead of UUIDs."""
import os
import uuid

from django.conf import settings
from django.db import models


def key():
    if os.environ["IDS"] == "numbers":
        return models.BigAutoField(primary_key=True)
    return models.UUIDField(primary_key=True, default=uuid.uuid4)


class Room(models.Model):
    id = key()
    name = models.CharField(max_length=255)
    creator = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="created_rooms")
    participants = models.ManyToManyField(settings.AUTH_USER_MODEL, related_name="chat_rooms")
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()


class Message(models.Model):
    id = key()
    room = models.ForeignKey(Room, on_delete=models.CASCADE, related_name="messages")
    sender = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL)
    content = models.TextField()
    created_at = models.DateTimeField()
    is_deleted = models.BooleanField(default=False)
