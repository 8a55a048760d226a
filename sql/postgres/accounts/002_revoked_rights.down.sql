-- The way back: rights that were taken away are told no more; no server runs that would have to hear of them.
DELETE FROM revocations WHERE kind = 'right';
ALTER TABLE revocations
    DROP COLUMN subject,
    DROP CONSTRAINT revocations_kind_check,
    ADD CONSTRAINT revocations_kind_check CHECK (kind IN ('session', 'user'));
