-- v 1
-- Who holds this host in maintenance.
CREATE TABLE maintenance (
    type       TEXT PRIMARY KEY,
    user       TEXT NOT NULL,
    started_ms INTEGER NOT NULL,
    message    TEXT
) STRICT;

-- When maintenance of this host will begin, if somebody has said so: one row at most.
CREATE TABLE announcement (
    id        INTEGER PRIMARY KEY CHECK (id = 1),
    begins_ms INTEGER NOT NULL,
    user      TEXT NOT NULL,
    since_ms  INTEGER NOT NULL,
    message   TEXT
) STRICT;

-- Where zones go; zone '*' is the default of all. Position 0 is tried first.
CREATE TABLE target (
    zone     TEXT NOT NULL,
    position INTEGER NOT NULL,
    uri      TEXT NOT NULL,
    PRIMARY KEY (zone, position)
) STRICT;

-- One evacuation, return or migration.
CREATE TABLE run (
    id                INTEGER PRIMARY KEY,
    direction         TEXT NOT NULL CHECK (direction IN ('evacuate', 'return', 'migrate')),
    user              TEXT NOT NULL,
    pid               INTEGER NOT NULL,
    started_ms        INTEGER NOT NULL,
    ended_ms          INTEGER,
    outcome           TEXT,
    -- When it is expected to end, by how much it may be later, and when it was expected to end at first.
    expected_ms       INTEGER,
    margin_ms         INTEGER,
    first_expected_ms INTEGER
) STRICT;

-- What a run did, or does, with one zone.
CREATE TABLE move (
    run                  INTEGER NOT NULL REFERENCES run (id) ON DELETE CASCADE,
    zone                 TEXT NOT NULL,
    state                TEXT NOT NULL,
    kind                 TEXT,
    brand                TEXT,
    dest                 TEXT,
    step                 TEXT,
    error                TEXT,
    bytes                INTEGER NOT NULL DEFAULT 0,
    total                INTEGER NOT NULL DEFAULT 0,
    started_ms           INTEGER,
    ended_ms             INTEGER,
    downtime_ms          INTEGER,
    -- What is expected of it, as long as it has not begun; then what was.
    expected_start_ms    INTEGER,
    expected_duration_ms INTEGER,
    expected_downtime_ms INTEGER,
    PRIMARY KEY (run, zone)
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

-- Each zone of which this host must know something that its platform does not tell, and the one place where it is.
CREATE TABLE zone (
    name          TEXT NOT NULL,
    uuid          TEXT NOT NULL PRIMARY KEY,
    brand         TEXT NOT NULL,
    place         TEXT NOT NULL CHECK (place IN ('here', 'leaving', 'migrating', 'away', 'returning', 'relocating',
        'stopping', 'stopped', 'suspending', 'suspended', 'configured', 'migrated')),
    -- The other host: where the zone is or goes, or was last.
    location      TEXT,
    relocating_to TEXT,
    -- The host that it belongs to, if that is another one: its name, and its identity if that is known.
    home          TEXT,
    home_id       TEXT,
    -- The hosts that may fetch it: an array.
    owners        TEXT NOT NULL,
    -- Among the zones that were stopped here.
    position      INTEGER,
    since_ms      INTEGER NOT NULL,
    ended_ms      INTEGER,
    was_running   INTEGER NOT NULL,
    kind          TEXT,
    bytes         INTEGER NOT NULL,
    downtime_ms   INTEGER,
    expected_start_ms    INTEGER,
    expected_duration_ms INTEGER,
    expected_downtime_ms INTEGER,
    -- Why it does not run although it ran when it left, as far as was seen.
    down          TEXT,
    -- Where its manifest lies too, if it is configured and has a zonepath.
    zonepath      TEXT,
    user          TEXT,
    -- Where and when its configuration was written, if it is configured.
    written       TEXT,
    -- Last, because it is long: the other columns are read without it.
    manifest      TEXT,
    CHECK (location IS NOT NULL OR place NOT IN ('leaving', 'migrating', 'away', 'returning', 'relocating', 'migrated')),
    CHECK (location IS NULL OR place NOT IN ('here', 'stopping', 'stopped', 'suspending', 'suspended')),
    CHECK (kind IS NOT NULL OR place NOT IN ('leaving', 'migrating', 'away', 'returning', 'relocating')),
    CHECK ((place = 'relocating') = (relocating_to IS NOT NULL)),
    CHECK ((place IN ('stopping', 'stopped', 'suspending', 'suspended')) = (position IS NOT NULL)),
    CHECK (manifest IS NOT NULL OR place NOT IN ('leaving', 'migrating', 'away', 'returning', 'relocating', 'configured')),
    CHECK (home IS NOT NULL OR home_id IS NULL),
    CHECK ((written IS NULL) = (user IS NULL)),
    CHECK (written IS NOT NULL OR place <> 'configured'),
    CHECK (manifest IS NOT NULL OR written IS NULL)
) STRICT;
-- Of a zone that is away or configured this may be the only configuration: its name is taken.
CREATE UNIQUE INDEX zone_by_name ON zone (name) WHERE place NOT IN ('here', 'migrated');
-- The rule of store/place.rs.
CREATE TRIGGER zone_transition BEFORE UPDATE OF place ON zone
WHEN NEW.place NOT IN (OLD.place, 'here') AND (OLD.place || ' ' || NEW.place) NOT IN (
    'here leaving', 'here migrating', 'here stopping', 'here suspending', 'here away', 'here configured',
    'configured leaving', 'configured migrating', 'configured stopping', 'configured suspending', 'configured away',
    'migrated leaving', 'migrated migrating', 'migrated stopping', 'migrated suspending', 'migrated away',
    'migrated configured',
    'leaving away', 'returning away', 'relocating away', 'away returning', 'away relocating', 'migrating migrated',
    'stopping stopped', 'suspending suspended', 'suspending stopped',
    'stopped away', 'stopped configured', 'suspended away', 'suspended configured',
    'leaving configured', 'migrating configured', 'away configured', 'returning configured', 'relocating configured')
BEGIN
    SELECT RAISE(ABORT, 'a zone cannot go from that place to this one');
END;
-- A zone that is elsewhere or was stopped is not forgotten: it must be here, configured or migrated first.
CREATE TRIGGER zone_is_kept BEFORE DELETE ON zone WHEN OLD.place NOT IN ('here', 'configured', 'migrated')
BEGIN
    SELECT RAISE(ABORT, 'the record of a zone that is elsewhere or stopped cannot be deleted');
END;

-- Room that is booked here for a zone that comes.
CREATE TABLE reservation (
    zone       TEXT PRIMARY KEY,
    uuid       TEXT NOT NULL,
    source     TEXT NOT NULL,
    memory     INTEGER NOT NULL,
    cpus       INTEGER NOT NULL,
    expires_ms INTEGER NOT NULL
) STRICT;

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

-- Which host this is, under whatever names: one row, made with the table.
CREATE TABLE host (
    id   INTEGER PRIMARY KEY CHECK (id = 1),
    uuid TEXT NOT NULL
) STRICT;
INSERT INTO host VALUES (1, lower(hex(randomblob(16))));
