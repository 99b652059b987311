//! Libraries of other languages: a process each, asked for one turn after the other.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde_json::{Value, json};

/// A process that reads a JSON line and answers with one.
pub(crate) struct Peer {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Peer {
    pub(crate) fn start(program: &str, script: &str) -> Self {
        let mut child = Command::new(program)
            .arg(script)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{program} {script}: {error}; start bench/peers/run"));
        let input = child.stdin.take().unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        Self {
            child,
            input,
            output,
        }
    }

    /// Gives the peer keys and a token; its libraries that can do the work, by name.
    pub(crate) fn prepare(&mut self, work: &Value) -> Vec<String> {
        let answer = self.ask(work);
        serde_json::from_value(answer["libraries"].clone()).unwrap_or_else(|_| panic!("{answer}"))
    }

    /// Seconds that one call takes, on average over a turn.
    pub(crate) fn turn(&mut self, library: &str, count: u32) -> f64 {
        let answer = self.ask(&json!({"do": "turn", "library": library, "count": count}));
        let nanoseconds = answer["ns"].as_f64().unwrap_or_else(|| panic!("{answer}"));
        nanoseconds / 1e9 / f64::from(count)
    }

    fn ask(&mut self, request: &Value) -> Value {
        writeln!(self.input, "{request}").unwrap();
        let mut line = String::new();
        self.output.read_line(&mut line).unwrap();
        serde_json::from_str(&line).unwrap_or_else(|_| panic!("no answer to {request}: {line}"))
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
