-- The index of the search: the words of every message, and how far it follows `messages`.
--
-- All of it can be made anew from `messages`, so the names begin with derived_ (docs/SQL.md): a copy leaves it out.
-- derived_search.tokens is text that the plugin has cut already; ASCII is all that the tokenizer has to know of it.
CREATE VIRTUAL TABLE derived_search USING fts5(tokens, tokenize = 'ascii', columnsize = 0);

CREATE TABLE derived_search_state (
    id BIGINT PRIMARY KEY,
    at_id BIGINT NOT NULL,          -- messages up to this one have been looked at
    again_id BIGINT NOT NULL,       -- and up to this one for a second time (only PostgreSQL needs that)
    mark_id BIGINT NOT NULL,        -- the second look is under way up to this one,
    mark_horizon BIGINT NOT NULL,   -- once all transactions before this one are over
    owner TEXT NOT NULL,            -- the worker that indexes
    lease_until BIGINT NOT NULL
);

INSERT INTO derived_search_state (id, at_id, again_id, mark_id, mark_horizon, owner, lease_until) VALUES (1, 0, 0, 0, 0, '', 0);

-- Messages that have changed or gone since they were looked at.  New ones are found by their id, so that sending pays nothing.
CREATE TABLE derived_search_todo (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    message_id BIGINT NOT NULL
);

CREATE TRIGGER derived_search_changed AFTER UPDATE OF content, deleted_at ON messages BEGIN
    INSERT INTO derived_search_todo (message_id) VALUES (old.id);
END;

-- The id of the newest message, once it is gone, may be given again.
CREATE TRIGGER derived_search_gone AFTER DELETE ON messages BEGIN
    INSERT INTO derived_search_todo (message_id) VALUES (old.id);
    UPDATE derived_search_state SET at_id = (SELECT COALESCE(MAX(id), 0) FROM messages)
        WHERE at_id > (SELECT COALESCE(MAX(id), 0) FROM messages);
END;
