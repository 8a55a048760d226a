-- The way back: where things have been delivered is forgotten; what was read stays, unused.
ALTER TABLE room_members DROP COLUMN delivered_seq;
