CREATE TABLE IF NOT EXISTS host (
    one        INTEGER PRIMARY KEY CHECK (one = 1),
    settings   TEXT    NOT NULL, -- JSON
    real_ms    INTEGER NOT NULL, -- when the virtual time was virtual_ms
    virtual_ms INTEGER NOT NULL,
    next_id    INTEGER NOT NULL  -- the number of the next zone that boots
) STRICT;

CREATE TABLE IF NOT EXISTS zone (
    uuid      TEXT    PRIMARY KEY,
    name      TEXT    NOT NULL UNIQUE,
    config    TEXT    NOT NULL, -- JSON, as it was given
    autostart INTEGER NOT NULL,
    state     TEXT    NOT NULL,
    aux       TEXT,
    id        INTEGER,
    counted   INTEGER NOT NULL, -- the guest's counter in virtual ms, when it was last let go or stopped
    since_ms  INTEGER,          -- virtual time since when it goes on; null while it stands
    former    TEXT,             -- the configuration that an arriving image stands in for
    keeper    TEXT,             -- who moves it
    persistent INTEGER NOT NULL,
    ended     TEXT              -- how, if it does not run
) STRICT;

CREATE TABLE IF NOT EXISTS fault (
    id    INTEGER PRIMARY KEY AUTOINCREMENT,
    fault TEXT NOT NULL, -- JSON
    left  INTEGER        -- how often it still happens; null: always
) STRICT;
