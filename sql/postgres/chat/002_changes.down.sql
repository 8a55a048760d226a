-- The way back: messages stay as they read now; earlier contents, reactions and references are gone.  Their events
-- stay, as places in the log: whoever does not know their kind shows nothing there.
DROP TABLE reactions;
DROP TABLE message_edits;
ALTER TABLE messages DROP COLUMN mentions;
ALTER TABLE messages DROP COLUMN reply_to;
ALTER TABLE room_events DROP COLUMN emoji;
