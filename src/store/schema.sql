-- v 1
-- Who holds this host in maintenance; and, without a type, who has said when it will begin: at most one row.
CREATE TABLE maintenance (
    type       TEXT PRIMARY KEY,
    user       TEXT NOT NULL,
    started_ms INTEGER NOT NULL,
    begins_ms  INTEGER,
    message    TEXT,
    CHECK ((type = '') = (begins_ms IS NOT NULL))
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
    method               TEXT,
    brand                TEXT,
    dest                 TEXT,
    step                 TEXT,
    -- Why it was skipped or failed, and what to do about that, a line for each thing.
    error                TEXT,
    hint                 TEXT,
    bytes                INTEGER NOT NULL DEFAULT 0,
    total                INTEGER NOT NULL DEFAULT 0,
    started_ms           INTEGER,
    ended_ms             INTEGER,
    downtime_ms          INTEGER,
    -- What is expected of it, as long as it has not begun; then what was.
    expected_start_ms    INTEGER,
    expected_duration_ms INTEGER,
    expected_downtime_ms INTEGER,
    -- How the planner calls the hosts of one that went well, the memory that was used, the bytes a second that it was to
    -- get, and what the model alone had said: the next forecasts are made from these.
    source               TEXT,
    destination          TEXT,
    memory               INTEGER,
    rate                 INTEGER,
    model_ms             INTEGER,
    model_downtime_ms    INTEGER,
    PRIMARY KEY (run, zone),
    CHECK ((model_ms IS NULL) = (source IS NULL) AND (model_ms IS NULL) = (destination IS NULL)
        AND (model_ms IS NULL) = (memory IS NULL) AND (model_ms IS NULL) = (rate IS NULL)
        AND (model_ms IS NULL) = (model_downtime_ms IS NULL))
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

-- Each zone of which this host must know something that its platform does not tell, and the one place where it is. The
-- host itself is the row without a name, whose UUID says which host this is under whatever names.
CREATE TABLE zone (
    name          TEXT NOT NULL,
    uuid          TEXT NOT NULL PRIMARY KEY,
    brand         TEXT NOT NULL,
    place         TEXT NOT NULL CHECK (place IN ('here', 'leaving', 'migrating', 'away', 'returning', 'relocating',
        'stopping', 'stopped', 'suspending', 'suspended', 'configured', 'migrated', 'host')),
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
    -- When the move by which it left, or its stop, began: that move says what it took.
    since_ms      INTEGER NOT NULL,
    was_running   INTEGER NOT NULL,
    -- Why it does not run although it ran when it left, as far as was seen.
    down          TEXT,
    -- Where its manifest lies too, if it is configured and has a zonepath.
    zonepath      TEXT,
    user          TEXT,
    -- Where and when its configuration was written, if it is configured.
    written       TEXT,
    -- Last, because it is long: the other columns are read without it.
    manifest      TEXT,
    CHECK ((place = 'host') = (name = '')),
    CHECK (location IS NOT NULL OR place NOT IN ('leaving', 'migrating', 'away', 'returning', 'relocating', 'migrated')),
    CHECK (location IS NULL OR place NOT IN ('here', 'stopping', 'stopped', 'suspending', 'suspended')),
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
WHEN NEW.place <> OLD.place AND (NEW.place <> 'here' OR OLD.place = 'host') AND (OLD.place || ' ' || NEW.place) NOT IN (
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

-- Room that is reserved here for a zone that comes.
CREATE TABLE reservation (
    zone       TEXT PRIMARY KEY,
    uuid       TEXT NOT NULL,
    source     TEXT NOT NULL,
    memory     INTEGER NOT NULL,
    cpus       INTEGER NOT NULL,
    disk       INTEGER NOT NULL,
    expires_ms INTEGER NOT NULL
) STRICT;

-- Manifests that hosts keep for each other, for the case that one of them is lost.
--   held: one of a zone of that host, kept here; `taken` when the zone was attached here
--   sent: one of a zone of this host, which is, or may be, with the host of that URI
--   taken: the host of that URI has attached a zone of this host, which was put down here and which it may not know
CREATE TABLE replica (
    zone     TEXT NOT NULL,
    uuid     TEXT NOT NULL,
    host     TEXT NOT NULL,
    role     TEXT NOT NULL CHECK (role IN ('held', 'sent', 'taken')),
    brand    TEXT,
    -- By which URI the zone's host has reached this host, and the other targets of the zone.
    via      TEXT,
    others   TEXT,
    since_ms INTEGER,
    taken_ms INTEGER,
    taken_by TEXT,
    -- Last, because it is long: the other columns are read without it.
    manifest TEXT,
    CHECK (role <> 'held' OR (brand IS NOT NULL AND via IS NOT NULL AND others IS NOT NULL AND since_ms IS NOT NULL
        AND manifest IS NOT NULL)),
    CHECK ((taken_ms IS NULL) = (role = 'sent' OR (role = 'held' AND taken_by IS NULL))),
    CHECK (role = 'held' OR (manifest IS NULL AND taken_by IS NULL))
) STRICT;
CREATE UNIQUE INDEX replica_held ON replica (host, zone) WHERE role = 'held';
CREATE UNIQUE INDEX replica_of_ours ON replica (role, host, uuid) WHERE role <> 'held';

INSERT INTO zone (name, uuid, brand, place, owners, since_ms, was_running)
    VALUES ('', lower(hex(randomblob(16))), 'host', 'host', '[]', 0, 0);
