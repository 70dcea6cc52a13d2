//! A server of the tests that is written in Python, for what only its clients' own packages speak.

use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use serde_json::Value;

use super::Python;

/// A running server; gone when dropped.
///
/// Its script writes a line of JSON with the `address` at which it listens, and then one for each
/// request.
pub struct Service {
    child: Child,
    address: SocketAddr,
    said: Arc<Mutex<Vec<Value>>>,
}

impl Service {
    /// Starts the script `wasm-tests/clients/SCRIPT` and waits until it listens.
    pub fn start(python: &Python, script: &str) -> Self {
        let mut child = python
            .command(script)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the environment has a Python");
        let stdout = child.stdout.take().expect("a piped stdout");
        let mut lines = BufReader::new(stdout).lines().map_while(Result::ok);
        let first: Value = lines
            .next()
            .and_then(|line| serde_json::from_str(&line).ok())
            .unwrap_or_else(|| panic!("{script} did not start"));
        let address = first["address"].as_str().unwrap_or_default();
        let address = address
            .parse()
            .unwrap_or_else(|error| panic!("{script}: {error}: {first}"));
        let said: Arc<Mutex<Vec<Value>>> = Arc::default();
        let heard = Arc::clone(&said);
        thread::spawn(move || {
            for line in lines {
                let fact = serde_json::from_str(&line).unwrap_or(Value::String(line));
                heard
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .push(fact);
            }
        });
        Self {
            child,
            address,
            said,
        }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What it said of its requests so far, oldest first; forgotten with this.
    pub fn take(&self) -> Vec<Value> {
        let mut said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut said)
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
