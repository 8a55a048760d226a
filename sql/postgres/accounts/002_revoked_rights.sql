-- Rights that other plugins have taken away (a place in a room): told to every worker by the same table, the same poll.

ALTER TABLE revocations
    DROP CONSTRAINT revocations_kind_check,
    ADD CONSTRAINT revocations_kind_check CHECK (kind IN ('session', 'user', 'right')),
    ADD COLUMN subject TEXT NOT NULL DEFAULT ''; -- of kind 'right': which one, in the words of the plugin that gave it
