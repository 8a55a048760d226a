-- The way back: nothing else goes; what has gone does not come again.
DROP TABLE retention_turns;
DROP INDEX room_events_of_message;
