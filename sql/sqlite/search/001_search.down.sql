-- The way back: the index is gone; messages are as they were.
DROP TRIGGER IF EXISTS derived_search_gone;
DROP TRIGGER IF EXISTS derived_search_changed;
DROP TABLE derived_search_todo;
DROP TABLE derived_search_state;
DROP TABLE derived_search;
