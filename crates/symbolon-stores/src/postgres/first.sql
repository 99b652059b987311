-- Rows of people, logins and grants are keyed by their time-ordered ids, so that new rows land side by
-- side. Positions of the log stand in two columns, moments are milliseconds, lists are JSON.
--
-- `rev_*` is the log's head at the moment of the row's making. `users.cut_*` is the last end of all logins
-- of the person; `cut_offs` holds the last cut-off of each other scope: what was opened beside an end, so
-- that the end could not mark it, is judged by these.

CREATE TABLE head (
    one    bigint NOT NULL PRIMARY KEY CHECK (one = 1),
    epoch  bigint NOT NULL,
    number bigint NOT NULL
);
INSERT INTO head VALUES (1, 1, 0);

CREATE TABLE log (
    epoch  bigint NOT NULL,
    number bigint NOT NULL,
    at     bigint NOT NULL,
    change text   NOT NULL,
    PRIMARY KEY (epoch, number)
);

CREATE TABLE cut_offs (
    kind        text   NOT NULL CHECK (kind IN ('everything', 'restored', 'app', 'login', 'grant')),
    sid         bytea  NOT NULL,
    client_id   text   NOT NULL,
    from_epoch  bigint NOT NULL,
    from_number bigint NOT NULL,
    epoch       bigint NOT NULL,
    number      bigint NOT NULL,
    at          bigint NOT NULL,
    PRIMARY KEY (kind, sid, client_id, from_epoch, from_number)
);
CREATE INDEX cut_offs_at ON cut_offs (at) WHERE kind IN ('login', 'grant');

CREATE TABLE users (
    id          bytea   NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    identifier  text    COLLATE "C" NOT NULL UNIQUE,
    roles       text    NOT NULL,
    policy      text    NOT NULL,
    is_admin    boolean NOT NULL,
    password    text    NOT NULL,
    created_at  bigint  NOT NULL,
    disabled_at bigint,
    cut_epoch   bigint,
    cut_number  bigint,
    cut_at      bigint
);
CREATE INDEX users_admin ON users (id) WHERE is_admin;

CREATE TABLE apps (
    client_id       text    COLLATE "C" NOT NULL PRIMARY KEY,
    name            text    NOT NULL,
    shape           text    NOT NULL,
    freshness       text    NOT NULL,
    idle_ms         bigint  NOT NULL,
    absolute_ms     bigint  NOT NULL,
    access_token_ms bigint  NOT NULL,
    grace_ms        bigint  NOT NULL,
    redirect_uris   text    NOT NULL,
    login_limit     text,
    secret          bytea   CHECK (length(secret) = 32),
    first_party     boolean NOT NULL,
    created_at      bigint  NOT NULL
);

CREATE TABLE signing_keys (
    kid        text   COLLATE "C" NOT NULL PRIMARY KEY,
    algorithm  text   NOT NULL,
    public_jwk text   NOT NULL,
    sealed     bytea  NOT NULL,
    created_at bigint NOT NULL
);

CREATE TABLE marks (
    name text NOT NULL PRIMARY KEY
);

CREATE TABLE logins (
    sid              bytea   NOT NULL PRIMARY KEY CHECK (length(sid) = 16),
    user_id          bytea   NOT NULL CHECK (length(user_id) = 16),
    authenticated_at bigint  NOT NULL,
    methods          text    NOT NULL,
    device           text,
    expires_at       bigint  NOT NULL,
    idle_ms          bigint,
    remembered       boolean NOT NULL,
    rev_epoch        bigint  NOT NULL,
    rev_number       bigint  NOT NULL,
    ended_at         bigint
);
CREATE INDEX logins_user ON logins (user_id) WHERE ended_at IS NULL;
CREATE INDEX logins_expires ON logins (expires_at);
CREATE INDEX logins_ended ON logins (ended_at) WHERE ended_at IS NOT NULL;

CREATE TABLE grants (
    id         bytea  NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    sid        bytea  NOT NULL CHECK (length(sid) = 16),
    client_id  text   NOT NULL,
    rev_epoch  bigint NOT NULL,
    rev_number bigint NOT NULL,
    opened_at  bigint NOT NULL,
    used_at    bigint NOT NULL,
    generation bigint NOT NULL,
    digest     bytea  NOT NULL CHECK (length(digest) = 32),
    moved_at   bigint NOT NULL,
    ended_at   bigint
);
CREATE INDEX grants_sid ON grants (sid);
CREATE INDEX grants_client ON grants (client_id, id) WHERE ended_at IS NULL;
CREATE INDEX grants_ended ON grants (ended_at) WHERE ended_at IS NOT NULL;

CREATE TABLE once_values (
    purpose    text    NOT NULL,
    key        bytea   NOT NULL CHECK (length(key) = 32),
    value      text    NOT NULL,
    expires_at bigint  NOT NULL,
    taken      boolean NOT NULL,
    PRIMARY KEY (purpose, key)
);
CREATE INDEX once_values_expires ON once_values (expires_at);

CREATE TABLE counters (
    key      bytea  NOT NULL PRIMARY KEY CHECK (length(key) = 32),
    events   bigint NOT NULL,
    until_at bigint NOT NULL
);
CREATE INDEX counters_until ON counters (until_at);
