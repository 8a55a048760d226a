-- The way back: rooms, members, logs and messages are gone.
DROP TABLE room_sweeps;
DROP TABLE messages;
DROP TABLE room_events;
DROP TABLE room_members;
DROP TABLE rooms;
