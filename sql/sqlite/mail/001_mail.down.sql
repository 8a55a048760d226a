-- The way back: mails that wait are gone.
DROP TABLE mail_queue;
