-- The way back: the index is gone; messages are as they were.
DROP TRIGGER IF EXISTS derived_search_gone ON messages;
DROP TRIGGER IF EXISTS derived_search_changed ON messages;
DROP FUNCTION derived_search_note();
DROP TABLE derived_search_todo;
DROP TABLE derived_search_state;
DROP TABLE derived_search;
