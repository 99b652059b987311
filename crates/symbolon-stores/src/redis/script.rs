//! The verbs as Lua scripts: each runs as one atomic step, in one round trip.

use redis::{Cmd, Script as Hashed, ToRedisArgs, cmd};

/// One script.
pub(super) struct Script {
    text: String,
    hash: String,
    reads: bool,
}

impl Script {
    /// The command that runs it by its hash, or by its text where the server does not know the hash yet.
    pub(super) fn command(&self, by_hash: bool, head: &str, args: &Args) -> Cmd {
        // A server that takes no writes (its disk is full) still answers what is known to read only.
        let (name, script) = match (by_hash, self.reads) {
            (true, true) => ("EVALSHA_RO", &self.hash),
            (true, false) => ("EVALSHA", &self.hash),
            (false, true) => ("EVAL_RO", &self.text),
            (false, false) => ("EVAL", &self.text),
        };
        let mut command = cmd(name);
        command.arg(script).arg(1).arg(head).arg(&args.0);
        command
    }
}

/// What a script is given.
#[derive(Default)]
pub(super) struct Args(Vec<Vec<u8>>);

impl Args {
    /// One more, or several.
    pub(super) fn with(mut self, value: impl ToRedisArgs) -> Self {
        self.0.extend(value.to_redis_args());
        self
    }
}

macro_rules! scripts {
    ($($name:ident: $common:expr, $reads:literal;)+) => {
        /// All of them.
        pub(super) struct Scripts {
            $(pub(super) $name: Script,)+
        }

        impl Scripts {
            pub(super) fn new() -> Self {
                Self {
                    $($name: {
                        let text = format!("{}{}", $common, include_str!(concat!("lua/", stringify!($name), ".lua")));
                        Script { hash: Hashed::new(&text).get_hash().to_owned(), text, reads: $reads }
                    },)+
                }
            }
        }
    };
}

const NOTHING: &str = "";
const READ: &str = include_str!("lua/common.lua");
const WRITE: &str = concat!(
    include_str!("lua/common.lua"),
    include_str!("lua/write.lua")
);

scripts! {
    found: NOTHING, false;
    find: READ, true;
    login: READ, true;
    living: READ, true;
    tail: READ, true;
    open: WRITE, false;
    join: WRITE, false;
    rotate: READ, false;
    touch: READ, false;
    end: WRITE, false;
    note: WRITE, false;
    begin_epoch: WRITE, false;
    carry: WRITE, false;
    confirm: READ, false;
    sweep: WRITE, false;
    count: READ, false;
    put: READ, false;
    take: READ, false;
}
