-- The way back: nothing else goes; what has gone does not come again.
DROP TABLE derived_retention_turns;
DROP INDEX room_events_of_message;
