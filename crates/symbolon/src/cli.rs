//! What can be typed.

#![expect(
    clippy::doc_markdown,
    reason = "these comments are the help texts: they are read as they stand"
)]

use std::{num::NonZeroU32, path::PathBuf};

use clap::{Args, Parser, Subcommand, ValueEnum};
use symbolon_server::login::{AtLimit, ClientId, Freshness, Identifier, KeyId, Role, Shape, Sid};
use symbolon_stores::Durability;

use crate::{
    commands::Advise,
    span::{Every, Span},
    store::{LoginsUrl, StoreUrl},
};

/// One login record. Each app chooses its shape, session cookie or JWT, and how fresh a yes must be.
/// An ended login is refused everywhere at once.
#[derive(Parser)]
#[command(
    name = "symbolon",
    version,
    after_help = "Begin with:  symbolon demo     the authority and two apps, to try out\n             symbolon serve    the authority, for real use\n             symbolon guard    in front of your app, whatever it is written in"
)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Start the authority and two apps, with three people to sign in as
    Demo(Demo),
    /// Start the authority
    Serve(Serve),
    Guard(crate::guard::Arguments),
    /// Add, list, change, disable people
    #[command(subcommand)]
    User(User),
    /// List logins, end them
    #[command(subcommand)]
    Login(Login),
    /// Register apps, turn their dials
    #[command(subcommand)]
    App(App),
    /// List, rotate, revoke signing keys
    #[command(subcommand)]
    Keys(SigningKeys),
    /// Look inside a token
    #[command(subcommand)]
    Token(Token),
    Advise(Advise),
    /// Copy the database into a file, beside a running server or without one
    ///
    /// The root key is not in it: keep a copy of DIR/root.key apart from it. Whoever has both has the
    /// authority; whoever has only one has nothing.
    Backup(Backup),
    /// Copy everything from one store into another, empty one: nobody is signed out
    ///
    /// Stop every server that uses the source first. Cut short, it goes on where it stopped when it is
    /// run again. The root key is no part of a store: whoever serves the new one needs DIR/root.key.
    Copy(Copy),
    /// Bring the tables of a store up to date, as `symbolon serve` does at its start
    Migrate(Migrate),
    /// Put a backup in the place of the database, with the server stopped
    ///
    /// Whatever was issued after the backup was taken is refused everywhere, in both shapes. Who was
    /// signed in then stays signed in, also those whose login ended since: the backup does not know
    /// that it did. --end-all-logins signs everybody out instead.
    Restore(Restore),
    /// Print a completion script for your shell
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// One of the demo's apps; its settings come on standard input
    #[command(hide = true)]
    DemoApp,
}

#[derive(Args)]
pub(crate) struct Demo {
    /// Where the database and the root key are kept
    #[arg(long, value_name = "DIR", default_value = "symbolon-data")]
    pub(crate) data: PathBuf,
    /// Port of the authority; the apps take the next two
    #[arg(long, value_name = "N", default_value_t = 7300, value_parser = clap::value_parser!(u16).range(1..=65533))]
    pub(crate) port: u16,
    /// Print one JSON object once everything is ready, and nothing else
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args)]
pub(crate) struct Serve {
    /// A TOML file with any of: data, store, logins, logins_durability, listen, public_url,
    /// insecure_http, max_logins, at_limit, remembered_days, unremembered_hours, rotate_keys_every,
    /// key_lead
    #[arg(long, value_name = "FILE", env = "SYMBOLON_CONFIG")]
    pub(crate) config: Option<PathBuf>,
    /// Where the database and the root key are kept [default: symbolon-data]
    #[arg(long, value_name = "DIR", env = "SYMBOLON_DATA")]
    pub(crate) data: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) place: Place,
    /// Address to listen on [default: localhost:7300]
    #[arg(long, value_name = "HOST:PORT", env = "SYMBOLON_LISTEN")]
    pub(crate) listen: Option<String>,
    /// URL under which browsers and apps reach it [default: http://localhost:PORT]
    #[arg(long, value_name = "URL", env = "SYMBOLON_PUBLIC_URL")]
    pub(crate) public_url: Option<String>,
    /// Allow a public URL with http that is not loopback: passwords and credentials travel readable
    #[arg(long, env = "SYMBOLON_INSECURE_HTTP", num_args = 0..=1, default_missing_value = "true")]
    pub(crate) insecure_http: Option<bool>,
    /// How many logins a person may have at once, unless their own rules say otherwise [default: 100]
    #[arg(long, value_name = "N", env = "SYMBOLON_MAX_LOGINS")]
    pub(crate) max_logins: Option<u32>,
    /// What one login more does: refuse, end_oldest or ask [default: end_oldest]
    #[arg(long, value_name = "RULE", env = "SYMBOLON_AT_LIMIT")]
    pub(crate) at_limit: Option<AtLimit>,
    /// Days until a login ends in any case, where the person is remembered [default: 30]
    #[arg(long, value_name = "DAYS", env = "SYMBOLON_REMEMBERED_DAYS")]
    pub(crate) remembered_days: Option<u32>,
    /// Hours until it ends in any case, where they are not [default: 24]
    #[arg(long, value_name = "HOURS", env = "SYMBOLON_UNREMEMBERED_HOURS")]
    pub(crate) unremembered_hours: Option<u32>,
    /// Age of the signing key at which the next one is made, such as 30d, 12h, or never [default: 90d]
    #[arg(long, value_name = "TIME", env = "SYMBOLON_ROTATE_KEYS_EVERY")]
    pub(crate) rotate_keys_every: Option<Every>,
    /// How long a new signing key is published before it signs, such as 10m [default: 10m]
    #[arg(long, value_name = "TIME", env = "SYMBOLON_KEY_LEAD")]
    pub(crate) key_lead: Option<Span>,
}

#[derive(Args)]
pub(crate) struct Backup {
    /// The new file, readable by its owner alone
    pub(crate) file: PathBuf,
    #[command(flatten)]
    pub(crate) target: Target,
}

#[derive(Args)]
#[command(group = clap::ArgGroup::new("what").required(true))]
pub(crate) struct Restore {
    /// The backup
    #[arg(group = "what")]
    pub(crate) file: Option<PathBuf>,
    /// The database was put back by other means (a copied file, pg_restore): only begin the new epoch
    #[arg(long, group = "what")]
    pub(crate) in_place: bool,
    /// End all logins that the backup knows
    #[arg(long)]
    pub(crate) end_all_logins: bool,
    #[command(flatten)]
    pub(crate) target: Target,
}

#[derive(Args)]
pub(crate) struct Copy {
    /// The store to copy from: sqlite:DIR or postgres://...
    #[arg(long, value_name = "URL")]
    pub(crate) from: StoreUrl,
    /// The empty store to copy to
    #[arg(long, value_name = "URL")]
    pub(crate) to: StoreUrl,
    /// Leave the source usable. Serving both gives one past two futures
    #[arg(long)]
    pub(crate) keep_source: bool,
    /// Answer in JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args)]
pub(crate) struct Migrate {
    /// Say what would be done, and do nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    #[command(flatten)]
    pub(crate) target: Target,
}

/// Which stores hold what the authority knows.
#[derive(Args, Clone, Default)]
pub(crate) struct Place {
    /// Where everything is kept: sqlite:DIR or postgres://USER:PASSWORD@HOST/DATABASE [default: sqlite: in
    /// the data directory]. A password is safer in the environment or the file
    #[arg(
        long,
        value_name = "URL",
        env = "SYMBOLON_STORE",
        hide_env_values = true,
        global = true
    )]
    pub(crate) store: Option<StoreUrl>,
    /// Where logins are kept instead: redis://HOST:PORT, rediss://, redis+cluster://HOST:PORT,HOST:PORT
    #[arg(
        long,
        value_name = "URL",
        env = "SYMBOLON_LOGINS",
        hide_env_values = true,
        global = true
    )]
    pub(crate) logins: Option<LoginsUrl>,
    /// When Redis has a write: memory, disk or replica [default: disk]
    #[arg(
        long,
        value_name = "WHEN",
        env = "SYMBOLON_LOGINS_DURABILITY",
        global = true
    )]
    pub(crate) logins_durability: Option<Durability>,
}

/// Where the authority is, and how to answer.
#[derive(Args)]
pub(crate) struct Target {
    /// The authority's data directory
    #[arg(
        long,
        value_name = "DIR",
        env = "SYMBOLON_DATA",
        default_value = "symbolon-data",
        global = true
    )]
    pub(crate) data: PathBuf,
    #[command(flatten)]
    pub(crate) place: Place,
    /// Answer in JSON
    #[arg(long, global = true)]
    pub(crate) json: bool,
}

#[derive(Subcommand)]
pub(crate) enum User {
    /// Add somebody. Asks for the password, unless told where it comes from
    Add {
        /// Their name or mail address
        identifier: Identifier,
        /// What they may do; may be given several times. `admin` may run the authority
        #[arg(long = "role", value_name = "ROLE")]
        roles: Vec<Role>,
        /// Read the password from the first line of standard input
        #[arg(long, conflicts_with = "generate")]
        password_stdin: bool,
        /// Make a password up and print it
        #[arg(long)]
        generate: bool,
        #[command(flatten)]
        target: Target,
    },
    /// List everybody
    List {
        #[command(flatten)]
        target: Target,
    },
    /// Replace somebody's roles, which ends all their logins, or what their logins are held to
    Set {
        /// Their name or mail address
        identifier: Identifier,
        /// What they may do from now on (replaces all); may be given several times
        #[arg(long = "role", value_name = "ROLE", conflicts_with = "no_roles")]
        roles: Vec<Role>,
        /// They may do nothing in particular
        #[arg(long)]
        no_roles: bool,
        #[command(flatten)]
        rules: Rules,
        #[command(flatten)]
        target: Target,
    },
    /// Disable somebody and end all their logins
    Disable {
        /// Their name or mail address
        identifier: Identifier,
        #[command(flatten)]
        target: Target,
    },
    /// Let somebody sign in again
    Enable {
        /// Their name or mail address
        identifier: Identifier,
        #[command(flatten)]
        target: Target,
    },
}

/// What somebody's logins are held to, from their next sign-in on.
#[derive(Args)]
pub(crate) struct Rules {
    /// Seconds until a login that is not used ends
    #[arg(long, value_name = "SECONDS", conflicts_with = "no_limits")]
    pub(crate) idle: Option<u64>,
    /// Seconds until a login ends in any case
    #[arg(long, value_name = "SECONDS", conflicts_with = "no_limits")]
    pub(crate) absolute: Option<u64>,
    #[command(flatten)]
    pub(crate) limit: Limit,
    /// Leave all of it to the authority and the apps
    #[arg(long, conflicts_with_all = ["max_logins", "at_limit"])]
    pub(crate) no_limits: bool,
}

/// How many logins a person may have at once.
#[derive(Args)]
pub(crate) struct Limit {
    /// How many logins a person may have at once
    #[arg(long, value_name = "N")]
    pub(crate) max_logins: Option<NonZeroU32>,
    /// What one login more does: refuse, end_oldest or ask [default: end_oldest]
    #[arg(long, value_name = "RULE")]
    pub(crate) at_limit: Option<AtLimit>,
}

#[derive(Subcommand)]
pub(crate) enum Login {
    /// List somebody's logins
    List {
        /// Their name or mail address
        identifier: Identifier,
        #[command(flatten)]
        target: Target,
    },
    /// End one login, or all of somebody
    #[command(group = clap::ArgGroup::new("whose").required(true))]
    End {
        /// The login
        #[arg(group = "whose")]
        sid: Option<Sid>,
        /// All logins of this name or mail address
        #[arg(long, value_name = "IDENTIFIER", group = "whose")]
        user: Option<Identifier>,
        #[command(flatten)]
        target: Target,
    },
}

#[derive(Subcommand)]
pub(crate) enum App {
    /// Register an app. Prints its client secret, once
    Add {
        /// Its client id: lower-case letters, digits, '-', '_', '.'
        client_id: ClientId,
        /// The name that people see [default: the client id]
        #[arg(long)]
        name: Option<String>,
        /// How a credential shows the login: session or jwt
        #[arg(long)]
        shape: Shape,
        #[command(flatten)]
        dials: Dials,
        #[command(flatten)]
        limit: Limit,
        /// Where it takes authorization codes; may be given several times
        #[arg(long = "redirect-uri", value_name = "URL")]
        redirect_uris: Vec<String>,
        /// It cannot keep a secret (single-page or phone app)
        #[arg(long)]
        public: bool,
        /// It is your own: it may ask for passwords itself and use the authority's API
        #[arg(long)]
        first_party: bool,
        #[command(flatten)]
        target: Target,
    },
    /// List all apps
    List {
        #[command(flatten)]
        target: Target,
    },
    /// Turn the dials of an app. Nobody is signed out
    Set(AppChange),
}

/// A change of an app; what is not given stays.
#[derive(Args)]
pub(crate) struct AppChange {
    /// Which
    pub(crate) client_id: ClientId,
    /// How a credential shows the login from now on: session or jwt
    #[arg(long)]
    pub(crate) shape: Option<Shape>,
    #[command(flatten)]
    pub(crate) dials: Dials,
    #[command(flatten)]
    pub(crate) limit: Limit,
    /// A person may have as many logins in it as they have
    #[arg(long, conflicts_with_all = ["max_logins", "at_limit"])]
    pub(crate) no_max_logins: bool,
    /// The name that people see
    #[arg(long)]
    pub(crate) name: Option<String>,
    /// Where it takes authorization codes (replaces all); may be given several times
    #[arg(long = "redirect-uri", value_name = "URL")]
    pub(crate) redirect_uris: Vec<String>,
    #[command(flatten)]
    pub(crate) target: Target,
}

/// The second dial, and the lifetimes.
#[derive(Args)]
pub(crate) struct Dials {
    /// How fresh a yes must be: live, within(10s), until_expiry
    #[arg(long)]
    pub(crate) freshness: Option<Freshness>,
    /// Seconds until a grant that is not used ends
    #[arg(long, value_name = "SECONDS")]
    pub(crate) idle: Option<u64>,
    /// Seconds until a grant ends in any case
    #[arg(long, value_name = "SECONDS")]
    pub(crate) absolute: Option<u64>,
    /// Seconds until an access token ends
    #[arg(long, value_name = "SECONDS")]
    pub(crate) access_token: Option<u64>,
    /// Seconds within which a replaced refresh token gets the same answer again
    #[arg(long, value_name = "SECONDS")]
    pub(crate) refresh_grace: Option<u64>,
}

#[derive(Subcommand)]
pub(crate) enum SigningKeys {
    /// List the signing keys: which one signs, which are on their way in or out, and until when
    List {
        #[command(flatten)]
        target: Target,
    },
    /// Publish a new signing key now, instead of waiting for the next one
    ///
    /// It signs by itself after the lead (serve --key-lead), when guards and others that verify tokens have
    /// had the time to learn of it. The key before it leaves by itself when its last token is over. Nobody
    /// is refused, nobody is signed out.
    Rotate {
        #[command(flatten)]
        target: Target,
    },
    /// Revoke a signing key that may be in wrong hands: every token of it is refused
    ///
    /// Logins live on: apps get a token of another key at their next refresh. If the key before it is still
    /// there, that one signs until everybody knows a new one; otherwise the new one signs at once. Apps
    /// that verify with a plain JWT library learn of it when they fetch the JWK Set again, within 5
    /// minutes. A backup taken before still holds the key: revoke it again after restoring one.
    Revoke {
        /// The key's id: see `symbolon keys list`, or the header `kid` of a token
        #[arg(allow_hyphen_values = true)]
        kid: KeyId,
        #[command(flatten)]
        target: Target,
    },
}

#[derive(Subcommand)]
pub(crate) enum Token {
    /// Show the three parts of a JWT, each check with its verdict and why
    Inspect(Inspect),
    /// Check a JWT and print its claims; every expectation has to be named
    Verify(Verify),
    /// Sign claims, read as JSON from standard input
    Sign(Sign),
    /// Make a key
    Keygen(Keygen),
}

/// Keys to check a signature with.
#[derive(Args)]
#[group(multiple = false)]
pub(crate) struct Keys {
    /// Check the signature with these keys: a JWK Set or JWK in a file
    #[arg(long, value_name = "FILE")]
    pub(crate) jwks: Option<PathBuf>,
    /// Check the signature with the keys of this authority (its jwks.json is fetched)
    #[arg(long, value_name = "URL")]
    pub(crate) authority: Option<String>,
    /// Check the signature with this shared secret, read from a file (HS256)
    #[arg(long, value_name = "FILE")]
    pub(crate) secret_file: Option<PathBuf>,
}

#[derive(Args)]
pub(crate) struct Inspect {
    /// The token; left out or '-': read from standard input, which keeps it out of shell history
    pub(crate) token: Option<String>,
    #[command(flatten)]
    pub(crate) keys: Keys,
    /// The issuer to expect [default: the authority's URL, where one is given]
    #[arg(long)]
    pub(crate) issuer: Option<String>,
    /// The audience to expect
    #[arg(long)]
    pub(crate) audience: Option<String>,
    /// Answer in JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args)]
pub(crate) struct Verify {
    /// The token; left out or '-': read from standard input, which keeps it out of shell history
    pub(crate) token: Option<String>,
    #[command(flatten)]
    pub(crate) keys: Keys,
    /// The issuer to expect [default: the authority's URL, where one is given]
    #[arg(long, required_unless_present = "authority")]
    pub(crate) issuer: Option<String>,
    /// The audience to expect
    #[arg(long)]
    pub(crate) audience: String,
    /// What kind of token to expect
    #[arg(long, value_enum, default_value_t = Class::Any)]
    pub(crate) class: Class,
    /// Seconds that clocks may differ, at most 60
    #[arg(long, value_name = "SECONDS", default_value_t = 0, value_parser = clap::value_parser!(u8).range(0..=60))]
    pub(crate) leeway: u8,
}

#[derive(Args)]
pub(crate) struct Sign {
    /// The private key: a JWK or PKCS#8 PEM in a file
    #[arg(long, value_name = "FILE")]
    pub(crate) key: PathBuf,
    /// The key's one algorithm, such as ES256 [default: the JWK's own `alg`]
    #[arg(long, value_name = "ALG")]
    pub(crate) alg: Option<String>,
    /// The key's id, for a PEM [default: its thumbprint]
    #[arg(long)]
    pub(crate) kid: Option<String>,
    /// What kind of token to make
    #[arg(long, value_enum, default_value_t = Class::Any)]
    pub(crate) class: Class,
    /// Add `iat` (now) and `exp` (so many seconds later) where the claims have none
    #[arg(long, value_name = "SECONDS")]
    pub(crate) lasts: Option<u32>,
}

#[derive(Args)]
pub(crate) struct Keygen {
    /// The algorithm: ES256, ES384, Ed25519, RS256, PS256, HS256, ...
    #[arg(long, value_name = "ALG", default_value = "ES256")]
    pub(crate) alg: String,
    /// The key's id [default: its thumbprint]
    #[arg(long)]
    pub(crate) kid: Option<String>,
    /// How to write it
    #[arg(long, value_enum, default_value_t = Form::Jwk)]
    pub(crate) form: Form,
    /// Write the private key to this new file, readable by its owner alone
    #[arg(long, value_name = "FILE")]
    pub(crate) out: PathBuf,
    /// Write the public key to this file [default: print it]
    #[arg(long, value_name = "FILE")]
    pub(crate) public_out: Option<PathBuf>,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Form {
    /// JSON Web Key (RFC 7517)
    Jwk,
    /// PKCS#8 and SubjectPublicKeyInfo in PEM (RFC 7468)
    Pem,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Class {
    /// Anybody's JWT
    Any,
    /// An access token (RFC 9068)
    Access,
}
