-- The way back: what was given up is wiped, as it was before; it would be sent once more otherwise.
UPDATE mail_queue SET sealed = NULL WHERE gave_up_at IS NOT NULL;

DROP INDEX mail_queue_over;
DROP INDEX mail_queue_lives;
DROP INDEX mail_queue_due;
ALTER TABLE mail_queue DROP COLUMN gave_up_at;
CREATE INDEX mail_queue_due ON mail_queue (next_at) WHERE sealed IS NOT NULL;
CREATE INDEX mail_queue_over ON mail_queue (created_at) WHERE sealed IS NULL;
