-- How far each member of a room has read, and how far what was said has come to it: both are places in the room's log.
--
-- Until now nobody could say what he has read, so all that there is counts as read.
ALTER TABLE room_members ADD COLUMN delivered_seq BIGINT NOT NULL DEFAULT 0;

UPDATE room_members SET
    read_seq = (SELECT r.last_seq FROM rooms r WHERE r.id = room_members.room_id),
    delivered_seq = (SELECT r.last_seq FROM rooms r WHERE r.id = room_members.room_id);
