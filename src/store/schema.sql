-- v 1
CREATE TABLE maintenance (
    type       TEXT PRIMARY KEY,
    user       TEXT NOT NULL,
    started_ms INTEGER NOT NULL,
    message    TEXT
) STRICT;

-- Where zones go; zone '*' is the default of all. Position 0 is tried first.
CREATE TABLE target (
    zone     TEXT NOT NULL,
    position INTEGER NOT NULL,
    uri      TEXT NOT NULL,
    PRIMARY KEY (zone, position)
) STRICT;

-- One evacuation or return.
CREATE TABLE run (
    id         INTEGER PRIMARY KEY,
    direction  TEXT NOT NULL CHECK (direction IN ('evacuate', 'return')),
    user       TEXT NOT NULL,
    pid        INTEGER NOT NULL,
    started_ms INTEGER NOT NULL,
    ended_ms   INTEGER,
    outcome    TEXT
) STRICT;

-- What a run did, or does, with one zone.
CREATE TABLE move (
    run         INTEGER NOT NULL REFERENCES run (id) ON DELETE CASCADE,
    zone        TEXT NOT NULL,
    state       TEXT NOT NULL,
    kind        TEXT,
    brand       TEXT,
    dest        TEXT,
    step        TEXT,
    error       TEXT,
    bytes       INTEGER NOT NULL DEFAULT 0,
    total       INTEGER NOT NULL DEFAULT 0,
    started_ms  INTEGER,
    ended_ms    INTEGER,
    downtime_ms INTEGER,
    PRIMARY KEY (run, zone)
) STRICT;

-- Zones that belong here and are elsewhere. Only a return or --forget takes a row away.
CREATE TABLE away (
    zone        TEXT PRIMARY KEY,
    uuid        TEXT NOT NULL,
    brand       TEXT NOT NULL,
    origin      TEXT NOT NULL,
    refuge      TEXT NOT NULL,
    was_running INTEGER NOT NULL,
    kind        TEXT NOT NULL,
    -- leaving and returning: a move is under way, or was when its process died.
    phase       TEXT NOT NULL CHECK (phase IN ('leaving', 'away', 'returning')),
    started_ms  INTEGER NOT NULL,
    ended_ms    INTEGER,
    bytes       INTEGER NOT NULL DEFAULT 0,
    downtime_ms INTEGER,
    -- Last, because it is long: the other columns are read without it.
    manifest    TEXT NOT NULL
) STRICT;

-- Written ahead: the intent of a step is here before the step, its outcome after it.
CREATE TABLE journal (
    id     INTEGER PRIMARY KEY,
    run    INTEGER NOT NULL REFERENCES run (id) ON DELETE CASCADE,
    zone   TEXT NOT NULL,
    step   TEXT NOT NULL,
    mark   TEXT NOT NULL CHECK (mark IN ('intent', 'done', 'failed', 'undone')),
    at_ms  INTEGER NOT NULL,
    detail TEXT
) STRICT;
CREATE INDEX journal_by_zone ON journal (run, zone);

-- Room that is booked here for a zone that comes.
CREATE TABLE reservation (
    zone       TEXT PRIMARY KEY,
    uuid       TEXT NOT NULL,
    source     TEXT NOT NULL,
    memory     INTEGER NOT NULL,
    cpus       INTEGER NOT NULL,
    expires_ms INTEGER NOT NULL
) STRICT;

-- v 2
-- Zones that are away may step aside, from one refuge to another; and what was expected of their moves is kept.
ALTER TABLE away RENAME TO away_of_v1;
CREATE TABLE away (
    zone        TEXT PRIMARY KEY,
    uuid        TEXT NOT NULL,
    brand       TEXT NOT NULL,
    origin      TEXT NOT NULL,
    refuge      TEXT NOT NULL,
    -- Where it goes in the phase of that name.
    aside       TEXT,
    was_running INTEGER NOT NULL,
    kind        TEXT NOT NULL,
    -- leaving, returning and aside: a move is under way, or was when its process died.
    phase       TEXT NOT NULL CHECK (phase IN ('leaving', 'away', 'returning', 'aside')),
    started_ms  INTEGER NOT NULL,
    ended_ms    INTEGER,
    bytes       INTEGER NOT NULL DEFAULT 0,
    downtime_ms INTEGER,
    expected_start_ms    INTEGER,
    expected_duration_ms INTEGER,
    expected_downtime_ms INTEGER,
    -- Last, because it is long: the other columns are read without it.
    manifest    TEXT NOT NULL,
    CHECK ((phase = 'aside') = (aside IS NOT NULL))
) STRICT;
INSERT INTO away SELECT zone, uuid, brand, origin, refuge, NULL, was_running, kind, phase, started_ms, ended_ms, bytes,
    downtime_ms, NULL, NULL, NULL, manifest FROM away_of_v1;
DROP TABLE away_of_v1;

-- Zones that were stopped or suspended here, and are booted again on return, the last one first.
CREATE TABLE rest (
    position   INTEGER PRIMARY KEY,
    zone       TEXT NOT NULL UNIQUE,
    uuid       TEXT NOT NULL,
    brand      TEXT NOT NULL,
    way        TEXT NOT NULL CHECK (way IN ('stop', 'suspend')),
    -- stopping: it is being done, or was when its process died.
    phase      TEXT NOT NULL CHECK (phase IN ('stopping', 'resting')),
    started_ms INTEGER NOT NULL,
    ended_ms   INTEGER
) STRICT;

-- When a run is expected to end, by how much it may be later, and when it was expected to end at first.
ALTER TABLE run ADD COLUMN expected_ms INTEGER;
ALTER TABLE run ADD COLUMN margin_ms INTEGER;
ALTER TABLE run ADD COLUMN first_expected_ms INTEGER;

-- What is expected of a move, as long as it has not begun; then what was.
ALTER TABLE move ADD COLUMN expected_start_ms INTEGER;
ALTER TABLE move ADD COLUMN expected_duration_ms INTEGER;
ALTER TABLE move ADD COLUMN expected_downtime_ms INTEGER;

-- What moves were expected to take, and took.
CREATE TABLE trip (
    id                INTEGER PRIMARY KEY,
    zone              TEXT NOT NULL,
    source            TEXT NOT NULL,
    dest              TEXT NOT NULL,
    kind              TEXT NOT NULL,
    memory            INTEGER NOT NULL,
    rate              INTEGER NOT NULL,
    model_ms          INTEGER NOT NULL,
    model_downtime_ms INTEGER NOT NULL,
    expected_ms       INTEGER NOT NULL,
    took_ms           INTEGER NOT NULL,
    downtime_ms       INTEGER,
    ended_ms          INTEGER NOT NULL
) STRICT;

-- When maintenance of this host will begin, if somebody has said so: one row at most.
CREATE TABLE announcement (
    id        INTEGER PRIMARY KEY CHECK (id = 1),
    begins_ms INTEGER NOT NULL,
    user      TEXT NOT NULL,
    since_ms  INTEGER NOT NULL,
    message   TEXT
) STRICT;

-- v 3
-- A zone that `sysadm zone migrate` moves does not come back with a return.
ALTER TABLE away ADD COLUMN one_way INTEGER NOT NULL DEFAULT 0;
-- Nor is such a run an evacuation, whatever its direction says.
ALTER TABLE run ADD COLUMN one_way INTEGER NOT NULL DEFAULT 0;

-- Zones that are `configured` here: detached, or made from a manifest, and not attached yet.
CREATE TABLE detached (
    zone       TEXT PRIMARY KEY,
    uuid       TEXT NOT NULL UNIQUE,
    brand      TEXT NOT NULL,
    -- Where its manifest lies too, if the zone has a zonepath.
    zonepath   TEXT,
    user       TEXT NOT NULL,
    since_ms   INTEGER NOT NULL,
    -- Where it was migrated to, if it was: it is attached there then, and not here.
    moved_to   TEXT,
    -- The document.
    manifest   TEXT NOT NULL
) STRICT;

-- Manifests of zones of other hosts, left here for the case that their host is lost.
CREATE TABLE standby (
    zone       TEXT NOT NULL,
    origin     TEXT NOT NULL,
    uuid       TEXT NOT NULL,
    brand      TEXT NOT NULL,
    -- By which URI its origin has reached this host, and the other targets of the zone.
    via        TEXT NOT NULL,
    others     TEXT NOT NULL,
    since_ms   INTEGER NOT NULL,
    -- When it was attached here, and who did that.
    taken_ms   INTEGER,
    taken_by   TEXT,
    -- Last, because it is long: the other columns are read without it.
    manifest   TEXT NOT NULL,
    PRIMARY KEY (origin, zone),
    CHECK ((taken_ms IS NULL) = (taken_by IS NULL))
) STRICT;

-- v 4
-- With which hosts manifests of zones of this host are, or may be.
CREATE TABLE left_with (
    uri  TEXT NOT NULL,
    zone TEXT NOT NULL,
    uuid TEXT NOT NULL,
    PRIMARY KEY (uri, uuid)
) STRICT;

-- What other hosts have told of zones that they had attached while this host was away, and that was put down.
CREATE TABLE heard (
    uri   TEXT NOT NULL,
    uuid  TEXT NOT NULL,
    at_ms INTEGER NOT NULL,
    PRIMARY KEY (uri, uuid)
) STRICT;

-- v 5
-- Which host this is, under whatever names: one row, made with the table.
CREATE TABLE host (
    id   INTEGER PRIMARY KEY CHECK (id = 1),
    uuid TEXT NOT NULL
) STRICT;
INSERT INTO host VALUES (1, lower(hex(randomblob(16))));

-- Zones of other hosts that are, or were, here. What is said of one that has left says only where it went.
CREATE TABLE guest (
    uuid    TEXT PRIMARY KEY,
    zone    TEXT NOT NULL,
    -- The host that it belongs to: its name, and its identity if that is known.
    home    TEXT NOT NULL,
    home_id TEXT,
    -- Where it went from here, and not home.
    gone_to TEXT
) STRICT;
-- Why a zone that ran when it left does not run where it is, as far as was seen.
ALTER TABLE away ADD COLUMN down TEXT;

-- Where a zone was last that was given up while it was away: it may be there.
ALTER TABLE detached ADD COLUMN last_at TEXT;

-- For which hosts a zone was brought here: they may fetch it.
CREATE TABLE brought (
    uuid TEXT NOT NULL,
    host TEXT NOT NULL,
    PRIMARY KEY (uuid, host)
) STRICT;
INSERT OR IGNORE INTO brought SELECT uuid, origin FROM standby WHERE taken_ms IS NOT NULL;
INSERT OR IGNORE INTO brought SELECT uuid, source FROM reservation;
