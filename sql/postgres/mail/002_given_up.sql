-- A mail that the mail server refused for good keeps its content until it expires, so that `parley mail retry` can send it.

ALTER TABLE mail_queue ADD COLUMN gave_up_at BIGINT;  -- no further attempt; NULL: under way, or sent

DROP INDEX mail_queue_due;
CREATE INDEX mail_queue_due ON mail_queue (next_at) WHERE sealed IS NOT NULL AND gave_up_at IS NULL;
CREATE INDEX mail_queue_lives ON mail_queue (expires_at) WHERE sealed IS NOT NULL;
DROP INDEX mail_queue_over;
CREATE INDEX mail_queue_over ON mail_queue (created_at) WHERE sealed IS NULL OR gave_up_at IS NOT NULL;
